"""Reads the bodies of answers: the documented envelope `{"data": ...}`, and the error object."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from management_api._models._base import ready


class Impossible(ValueError):
    """An answer of the documented shape holds what cannot be; the message says what, without a value from it."""


def _json(body: bytes) -> Any:
    """`NaN` and `Infinity` are not JSON, and no reader of ours takes them for numbers."""
    return from_json(body, allow_inf_nan=False)


def one[M: BaseModel](model: type[M]) -> Callable[[bytes], M]:
    """Reads `{"data": {...}}`."""
    return lambda body: ready(model).model_validate(_json(body)["data"])


def many[M: BaseModel](model: type[M]) -> Callable[[bytes], list[M]]:
    """Reads `{"data": [...]}`."""
    return lambda body: [ready(model).model_validate(item) for item in _json(body)["data"]]


@dataclass(frozen=True)
class Unreadable:
    """An entry of a list that is not what the document says. `identity`: tells it from other entries of the list, page
    after page. `why`: what is wrong with it, without a value from it."""

    identity: str
    why: str


def each[M: BaseModel](model: type[M]) -> Callable[[bytes], list[M | Unreadable]]:
    """Reads `{"data": [...]}` entry by entry: one that cannot be read costs no other.

    Raises where there are entries and none can be read: then it is not the entries that are odd.
    """

    return lambda body: each_of(body, ready(model).model_validate, lambda _: None)


def each_of[Item](
    body: bytes,
    read: Callable[[Any], Item],
    known_as: Callable[[Any], str | None],
    failed: Exception | None = None,
) -> list[Item | Unreadable]:
    """The entries of `{"data": [...]}`, each read by itself. `known_as`: an entry's identity where it can be told.

    `failed`: why the whole could not be read. Raises as `each` does.
    """
    found: list[Item | Unreadable] = []
    # `NaN` in one entry must not cost the others: whoever reads the entry refuses it.
    for item in from_json(body)["data"]:
        try:
            found.append(read(item))
        except (ValidationError, Impossible) as error:
            failed = failed or error
            found.append(Unreadable(known_as(item) or sha256(to_json(item)).hexdigest(), why_unreadable(error)))
    if failed and all(isinstance(one, Unreadable) for one in found):
        raise failed
    return found


def whole[M: BaseModel](model: type[M]) -> Callable[[bytes], M]:
    """Reads a body without an envelope, straight from the bytes."""
    return lambda body: ready(model).model_validate_json(body)


def deleted(body: bytes) -> None:
    """Reads `{"deleted": true}`; anything else is not a confirmation."""
    if _json(body)["deleted"] is not True:
        raise ValueError("deleted: not confirmed")


def done(body: bytes) -> None:
    """Accepts any JSON object: the status said it all."""
    if not isinstance(_json(body), dict):
        raise ValueError("not a JSON object")


def error_inside(body: bytes) -> tuple[str, str | None, int | None]:
    """Message, `metadata.error_type` and code of `{"error": {...}}`; a page of HTML gives its beginning."""
    try:
        error: Any = from_json(body)["error"]
        metadata = error.get("metadata") or {}
        message, error_type, code = error.get("message"), metadata.get("error_type"), error.get("code")
    except (ValueError, KeyError, TypeError, AttributeError):
        return body[:400].decode("utf-8", "replace") or "no body", None, None
    return (
        str(message),
        error_type if isinstance(error_type, str) else None,
        code if isinstance(code, int) and 400 <= code < 600 else None,
    )


def why_unreadable(error: Exception) -> str:
    """What was wrong with a body, without a value from it: the body of a created key holds its plaintext."""
    if isinstance(error, ValidationError):
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in faults[:3])
    if isinstance(error, Impossible):
        return str(error)
    if isinstance(error, KeyError):
        return f"no field {error}"
    return "not JSON of the documented shape"

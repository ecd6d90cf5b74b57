"""The resource types the engine knows, each with the properties it honours and those that have no effect here."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.errors import UnsupportedTemplate

Properties = dict[str, Any]

# Why a property may be accepted and do nothing. Anything that is neither honoured nor listed with a reason is an error.
LABEL = "a label for people"
ENCRYPTION = "the sandbox keeps everything in memory and encrypts nothing"
TRACING = "there is no X-Ray here"
AT_ONCE = "the sandbox delivers one thing at a time"


@dataclass(frozen=True)
class Made:
    """A created resource: what `Ref` gives, and what `GetAtt` can ask for."""

    ref: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Handler:
    """`make` takes the stack, the logical id and the properties."""

    make: Callable[[Any, str, Properties], Made]
    accepted: frozenset[str]
    inert: Mapping[str, str]


HANDLERS: dict[str, Handler] = {}


def handles(kind: str, honours: str, inert: Mapping[str, str] | None = None) -> Callable[[Any], Any]:
    """Registers the maker of a resource type.

    `honours` lists properties; `Targets.Arn` also says which members of an object (or of a list's objects) count. An
    object with no members listed is handed on whole, and checked by whoever receives it.
    """

    def register(make: Any) -> Any:
        HANDLERS[kind] = Handler(make, frozenset(honours.split()) | set(inert or {}), dict(inert or {}))
        return make

    return register


def check(kind: str, logical_id: str, properties: Properties) -> None:
    """Raises `UnsupportedTemplate` for the first property that is not declared."""
    accepted = HANDLERS[kind].accepted
    for path in _paths(properties, "", accepted):
        if path not in accepted and not any(name.startswith(f"{path}.") for name in accepted):
            raise UnsupportedTemplate(logical_id, kind, f"property {path} is not honoured")


def active(kind: str, properties: Properties) -> Properties:
    """The properties without those that have no effect."""
    return {name: value for name, value in properties.items() if name not in HANDLERS[kind].inert}


def _paths(value: Any, prefix: str, accepted: frozenset[str]) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for name, inner in item.items():
                path = f"{prefix}{name}"
                yield path
                if any(known.startswith(f"{path}.") for known in accepted):
                    yield from _paths(inner, f"{path}.", accepted)

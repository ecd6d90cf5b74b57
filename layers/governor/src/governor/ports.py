"""What several functions ask of the outside in the same words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from management_api import Deadline


class Connect[Account](Protocol):
    """The way to the account."""

    def __call__(self, deadline: "Deadline", *, fresh: bool = False) -> Account:
        """The account under the management key, every call of which ends by `deadline`.

        `fresh` passes over a cached key, which may have been replaced. Raises `AuthenticationFailed` for no key at all.
        """


class Log(Protocol):
    """Structured lines: a sentence, and facts in `extra`. Never a secret."""

    def info(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None: ...
    def warning(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None: ...

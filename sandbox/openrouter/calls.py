"""How a route is declared, and what its handler is given: one call, authenticated and parsed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import ValidationError

from sandbox.openrouter.bodies import Body, Region
from sandbox.openrouter.keys import Key
from sandbox.openrouter.refusals import Refusal, invalid

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization
    from sandbox.openrouter.workspaces import Workspace

_REGIONS: dict[str, Region] = {"eu": "europe", "us": "us"}


class Owned(Protocol):
    """What belongs to one workspace, or with None to every one."""

    @property
    def workspace_id(self) -> str | None: ...


type Access = Literal["management", "inference", "any", "public"]


@dataclass(frozen=True, slots=True)
class Call:
    """`key` is None when the management key is calling. `raw` is the body as sent.

    What a handler puts in `answer_headers` is sent with its answer.
    """

    organization: "Organization"
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    key: Key | None
    origin: str = ""
    answer_headers: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> float:
        return self.organization.now

    @property
    def region(self) -> Region:
        """Whose host was called: `eu.openrouter.ai`, `us.openrouter.ai`, or any other."""
        return _REGIONS.get(self.headers.get("host", "").partition(".")[0], "global")

    def caller(self) -> Key:
        """The inference key on a route that only those may use."""
        if self.key is None:
            raise Refusal(401, "User not found.")
        return self.key

    def body[B: Body](self, model: type[B]) -> B:
        try:
            return model.model_validate_json(self.raw)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise invalid(f"Invalid request parameters: {where}: {first['msg']}") from error

    @property
    def limit(self) -> str:
        """The id of the only workspace that the calling management key may act in; empty where it is not limited."""
        return "" if self.key else self.organization.management_workspace_id

    def workspace(self, id: str | None) -> "Workspace":
        """The workspace that a query or a body names; None is the key's own, or the default one.

        Raises a 400 where there is none of this id: the vendor's document says that `workspace_id` is a UUID, and the
        calls that take one list 400 and no 404. Raises a 403 for a management key that is limited to another.
        """
        if id is not None and id not in self.organization.workspaces:
            raise invalid("Invalid request parameters: workspace_id")
        found = self.organization.workspace(id or self.limit or None)
        self.permit(found.id)
        return found

    def permit(self, workspace_id: str | None) -> None:
        """Raises a 403 where a limited management key names what is another workspace's, or every one's (None)."""
        if not self.permits(workspace_id):
            raise Refusal(403, "The key is limited to another workspace")

    def permits(self, workspace_id: str | None) -> bool:
        return self.limit in ("", workspace_id)

    def own[T: Owned](self, found: T) -> T:
        """What was found, where the calling key may see it."""
        self.permit(found.workspace_id)
        return found

    def number(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise invalid(f"Invalid request parameters: {name}")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() == "true"

    def page(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """`limit` and `offset` over the whole, with its total."""
        offset, limit = self.number("offset", 0), self.number("limit", 50, least=1, most=100)
        return {"data": rows[offset : offset + limit], "total_count": len(rows)}


type Handler = Callable[[Call], dict[str, Any] | bytes]
"""What is answered: JSON, or bytes whose type is in the call's `answer_headers`."""


@dataclass(frozen=True, slots=True)
class Route:
    """`refuses`: what a wrong kind of key is answered. The vendor's document lists 403 on some routes only."""

    method: str
    path: str
    handler: Handler
    access: Access
    status: int
    refuses: int


class Routes:
    """The routes of one resource."""

    def __init__(self, access: Access = "management") -> None:
        self._access = access
        self.all: list[Route] = []

    def add(
        self, method: str, path: str, *, status: int = 200, refuses: int = 401, access: Access | None = None
    ) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.all.append(Route(method, path, handler, access or self._access, status, refuses))
            return handler

        return declare

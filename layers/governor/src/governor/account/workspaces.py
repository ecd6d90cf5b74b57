"""Which workspace the policy means: people name one by id, by name or by slug, and only an id is surely one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from management_api import NotFound

if TYPE_CHECKING:
    from management_api import Workspace


class Workspaces(Protocol):
    def get(self, id: str) -> "Workspace": ...


def meant(named: str, workspaces: Sequence["Workspace"]) -> "list[Workspace]":
    """Those that the policy's word may mean; unless there is one, nothing may be done in any of them."""
    return [one for one in workspaces if named in (one.id, one.name, one.slug)]


def is_gone(workspaces: Workspaces, id: str) -> bool:
    """Whether the workspace was deleted. One GET; raises what it raises, except `NotFound`.

    Ask this when a list of the workspace was refused. OpenRouter refuses the lists of a deleted workspace with a 400,
    as it does any other bad request, and answers 404 only for the workspace itself (vendor's OpenAPI document, August
    2026).
    """
    try:
        workspaces.get(id)
    except NotFound:
        return True
    return False

"""Which workspace the policy means: people name one by id, by name or by slug, and only an id is surely one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from management_api import Workspace


def meant(named: str, workspaces: Sequence["Workspace"]) -> "list[Workspace]":
    """Those that the policy's word may mean; unless there is one, nothing may be done in any of them."""
    return [one for one in workspaces if named in (one.id, one.name, one.slug)]

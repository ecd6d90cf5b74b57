"""One reading of the account: everything of it that a policy speaks of. Reads only.

What could not be read is a `Gap`, never an empty list: unknown is not zero.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from cli.output import Output
from management_api import (
    ApiKey,
    ByokKey,
    Guardrail,
    Member,
    OpenRouter,
    OpenRouterError,
    Preset,
    Read,
    Workspace,
    WorkspaceBudgets,
)

CONCURRENCY = 8
"""Requests under way at once."""


type Part = Literal["keys", "guardrails", "assignments", "budgets", "byok", "presets", "members", "spend"]


@dataclass(frozen=True)
class Gap:
    """`what` could not be read, and `why`. `part`, `workspace_id`: the same for programs; None: of every workspace."""

    what: str
    why: str
    part: Part | None = None
    workspace_id: str | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class Account:
    """The account as it was between `begun` and now. Money in USD.

    `keys`: of every workspace, disabled and expired ones too. `guardrail_of_key`, `guardrail_of_member`: guardrail id
    by key hash and by user id. `budgets`: by workspace id.
    """

    begun: datetime
    workspaces: tuple[Workspace, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    guardrail_of_key: Mapping[str, str] = field(default_factory=dict)
    guardrail_of_member: Mapping[str, str] = field(default_factory=dict)
    budgets: Mapping[str, WorkspaceBudgets] = field(default_factory=dict)
    byok: tuple[ByokKey, ...] = ()
    presets: tuple[Preset, ...] = ()
    members: tuple[Member, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @cached_property
    def workspace_by_id(self) -> Mapping[str, Workspace]:
        return {one.id: one for one in self.workspaces}

    @cached_property
    def guardrail_by_id(self) -> Mapping[str, Guardrail]:
        return {one.id: one for one in self.guardrails}

    def has_read(self, part: Part, workspace_id: str | None = None) -> bool:
        """Whether that part was read: of the workspace, or of all. What was not read is not missing."""
        return not any(
            gap.part == part and (workspace_id is None or gap.workspace_id in (None, workspace_id)) for gap in self.gaps
        )

    def gaps_in(self, *parts: Part) -> tuple[Gap, ...]:
        """The gaps that matter to whoever needs these parts. Budgets, for one, are refused to most plans."""
        return tuple(gap for gap in self.gaps if gap.part in parts)

    def workspace_name(self, id: str) -> str:
        """How a policy names the workspace: its slug, or its name or id where that alone is unmistakable."""
        one = self.workspace_by_id.get(id)
        if one is None:
            return id
        for name in (one.slug, one.name):
            if name and sum(name in (other.id, other.slug, other.name) for other in self.workspaces) == 1:
                return name
        return id

    def guardrail_name(self, id: str) -> str:
        """How a policy names the guardrail: its name, or its id where others share the name."""
        one = self.guardrail_by_id.get(id)
        alone = one and one.name and sum(one.name == other.name for other in self.guardrails) == 1
        return one.name if one and alone else id


def read_account(client: OpenRouter, out: Output, now: datetime) -> Account:
    """Reads the whole account, with progress on stderr: a page of 100 keys a request, and a few a workspace.

    Raises what `OpenRouter.workspaces.list` raises: without the list of workspaces nothing is known. Raises
    `AuthenticationFailed` for a key that OpenRouter stops accepting. Everything else that fails is a gap.
    """
    workspaces = read_workspaces(client, out)
    name = {one.id: one.slug or one.name for one in workspaces}
    reader = _Reader()
    with out.progress(f"reading the keys of {len(workspaces)} workspaces"):
        readings = client.read_account([one.id for one in workspaces], concurrency=CONCURRENCY)
    keys: list[ApiKey] = []
    for id, reading in readings.items():
        if isinstance(reading, Read):
            keys += reading.keys
            reader.gaps += [
                Gap(f"a key of workspace {name[id]}", why, "keys", id) for why in reading.unreadable.values()
            ]
        else:
            reader.gaps.append(Gap(f"keys of workspace {name[id]}", str(reading.error), "keys", id))
    parts: list[_Part] = []
    with (
        out.progress("reading guardrails, budgets, BYOK credentials and presets", len(workspaces)) as advance,
        ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="account") as pool,
    ):
        for part in pool.map(lambda one: _of_workspace(client, one.id, name[one.id], reader), workspaces):
            parts.append(part)
            advance()
    with out.progress("reading guardrails' assignments and the members"):
        assigned = reader.list("assignments", "guardrail assignments of keys", client.guardrails.assignments)
        bound = reader.list("assignments", "guardrail assignments of members", client.guardrails.member_assignments)
        members = reader.list("members", "members of the organization", client.organization.members)
    return Account(
        begun=now,
        workspaces=tuple(workspaces),
        # A key that moved between two workspaces meanwhile is in both lists.
        keys=tuple({one.hash: one for one in keys}.values()),
        guardrails=_each_once((one.id, one) for part in parts for one in part.guardrails),
        guardrail_of_key={one.key_hash: one.guardrail_id for one in assigned},
        guardrail_of_member={one.user_id: one.guardrail_id for one in bound},
        budgets={part.id: part.budgets for part in parts if part.budgets},
        # A credential of every workspace is listed in each.
        byok=_each_once((one.id, one) for part in parts for one in part.byok),
        presets=_each_once((one.id, one) for part in parts for one in part.presets),
        members=tuple(members),
        gaps=tuple(reader.gaps),
    )


def read_workspaces(client: OpenRouter, out: Output) -> list[Workspace]:
    """Every workspace that the key sees; where it is one, the person is told what that may mean."""
    with out.progress("reading the workspaces"):
        found = client.workspaces.list()
    if len(found) == 1:
        out.message(
            f"The key sees one workspace, {found[0].slug or found[0].name}. A management key that is limited "
            "to a workspace sees no other: if there are more, use a key of the whole organization."
        )
    return found


@dataclass(frozen=True)
class _Part:
    id: str
    guardrails: list[Guardrail]
    budgets: WorkspaceBudgets | None
    byok: list[ByokKey]
    presets: list[Preset]


class _Reader:
    """Asks, and notes as a gap what was not answered. Shared by threads: a list's `append` is atomic."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []

    def list[T](
        self, part: Part, what: str, question: Callable[[], list[T]], workspace_id: str | None = None
    ) -> list[T]:
        """The answer; empty where there is a gap."""
        return self.one(part, what, question, workspace_id) or []

    def one[T](self, part: Part, what: str, question: Callable[[], T], workspace_id: str | None = None) -> T | None:
        """The answer; None where there is a gap. Raises a 401: the key itself is refused, and nothing will be read."""
        try:
            return question()
        except OpenRouterError as error:
            if error.status == 401:
                raise
            self.gaps.append(Gap(what, str(error), part, workspace_id))
            return None


def _of_workspace(client: OpenRouter, id: str, name: str, reader: _Reader) -> _Part:
    where = f"of workspace {name}"
    presets = reader.list("presets", f"presets {where}", lambda: client.presets.list(id), id)
    return _Part(
        id,
        reader.list("guardrails", f"guardrails {where}", lambda: client.guardrails.list(id), id),
        reader.one("budgets", f"budgets {where}", lambda: client.workspaces.budgets(id), id),
        reader.list("byok", f"BYOK credentials {where}", lambda: client.byok.list(id), id),
        # Not every answer says which workspace a preset is of: the list that it came from does.
        [one.model_copy(update={"workspace_id": id}) for one in presets],
    )


def _each_once[T](items: Iterable[tuple[str, T]]) -> tuple[T, ...]:
    return tuple(dict(items).values())

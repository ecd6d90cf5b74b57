"""What the account is made of: keys, workspaces, guardrails, credentials, destinations, presets, analytics.

Every method raises from `management_api.errors`. A read may be called again at any time. A write is not idempotent
unless it says so, and its lost answer is `OutcomeUnknown`: read back first.

More than 300 lines: one class a resource, each a flat list of calls that share one shape.
"""

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from management_api._answers import deleted, done, each, many, one, whole
from management_api._call import Body, Call
from management_api._listing import Listing, identified, list_all, list_each, list_keys
from management_api._models._base import Answer, ready
from management_api._models.analytics import AnalyticsData, AnalyticsMeta, AnalyticsQuery, AnalyticsResult
from management_api._models.byok import ByokKey, ByokPatch, NewByok
from management_api._models.destinations import Destination, DestinationPatch, NewDestination
from management_api._models.guardrails import (
    Guardrail,
    GuardrailPatch,
    KeyAssignment,
    MemberAssignment,
    NewGuardrail,
)
from management_api._models.keys import ApiKey, CreatedKey, CreatedKeyAnswer, KeyAnswer, KeyPatch, NewKey
from management_api._models.members import Member, MemberPage
from management_api._models.presets import Preset, PresetVersion
from management_api._models.workspaces import BudgetLimit, Workspace, WorkspaceBudget, WorkspaceBudgets, WorkspacePatch
from management_api._transport import Transport
from management_api.errors import Unavailable


class Resource:
    """Calls that share a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Keys(Resource):
    """API keys."""

    def list(self, workspace_id: str) -> list[ApiKey]:
        """Every key of the workspace, newest first, disabled and expired ones included. See `_paging`."""
        return list_keys(self._transport, workspace_id)

    def get(self, hash: str) -> ApiKey:
        return self._transport.send(Call("GET", "/keys/{hash}", _key, ids={"hash": hash}))

    def create(self, key: NewKey) -> CreatedKey:
        """A new key and its plaintext, shown once.

        After `OutcomeUnknown` a key may exist whose plaintext nobody has: find it by its name, and delete it.
        """
        return self._transport.send(Call("POST", "/keys", _created, body=Body(key), effect="write"))

    def update(self, hash: str, patch: KeyPatch) -> ApiKey:
        """Idempotent: sets what is set in `patch`, and gives back the key as it then was."""
        call = Call("PATCH", "/keys/{hash}", _key, ids={"hash": hash}, body=Body(patch), effect="write")
        return self._transport.send(call)

    def delete(self, hash: str) -> None:
        """Irreversible. `NotFound` when it is gone already."""
        self._transport.send(Call("DELETE", "/keys/{hash}", deleted, ids={"hash": hash}, effect="write"))


class Workspaces(Resource):
    """Workspaces and their budgets."""

    def list(self) -> list[Workspace]:
        return list_all(self._transport, "/workspaces", many(Workspace))

    def each(self) -> Listing[Workspace]:
        """Every workspace that can be read; for whoever need not know them all."""
        return list_each(self._transport, "/workspaces", each(Workspace))

    def get(self, id: str) -> Workspace:
        return self._transport.send(Call("GET", "/workspaces/{id}", one(Workspace), ids={"id": id}))

    def update(self, id: str, patch: WorkspacePatch) -> Workspace:
        call = Call("PATCH", "/workspaces/{id}", one(Workspace), ids={"id": id}, body=Body(patch), effect="write")
        return self._transport.send(call)

    def budgets(self, id: str) -> WorkspaceBudgets:
        call = Call("GET", "/workspaces/{id}/budgets", whole(WorkspaceBudgets), ids={"id": id})
        return self._transport.send(call)

    def each_budget(self, id: str) -> tuple[Listing[WorkspaceBudget], bool | None]:
        """The workspace's budgets that can be read, and `include_byok_in_budgets`."""
        return self._transport.send(Call("GET", "/workspaces/{id}/budgets", _budgets, ids={"id": id}))

    def set_budget(self, id: str, interval: str, limit_usd: float, include_byok: bool) -> WorkspaceBudget:
        """Idempotent. `interval`: `daily`, `weekly`, `monthly` or `lifetime`, each limit above the shorter one's.

        `include_byok` holds for all budgets of the workspace.
        """
        path, ids = "/workspaces/{id}/budgets/{interval}", {"id": id, "interval": interval}
        body = Body(BudgetLimit(limit_usd=limit_usd, include_byok_in_budgets=include_byok))
        return self._transport.send(Call("PUT", path, one(WorkspaceBudget), ids=ids, body=body, effect="write"))

    def delete_budget(self, id: str, interval: str) -> None:
        path, ids = "/workspaces/{id}/budgets/{interval}", {"id": id, "interval": interval}
        self._transport.send(Call("DELETE", path, deleted, ids=ids, effect="write"))


_members = whole(MemberPage)


class Organization(Resource):
    """The organization that the management key belongs to."""

    def members(self) -> list[Member]:
        """Every member. Raises `Unavailable` where the list holds fewer than the number that it tells of itself."""
        told = 0

        def page(body: bytes) -> list[Member]:
            nonlocal told
            answer = _members(body)
            told = answer.total_count or 0
            return answer.data

        found = list_all(self._transport, "/organization/members", page)
        if len(found) < told:
            raise Unavailable(f"the list holds {len(found)} of {told} members", request="GET /organization/members")
        return found


class Guardrails(Resource):
    """Guardrails, and the keys and members they govern."""

    def list(self, workspace_id: str | None = None) -> list[Guardrail]:
        """Those filed in one workspace; None means the default workspace, not all of them."""
        return list_all(self._transport, "/guardrails", many(Guardrail), query={"workspace_id": workspace_id})

    def each(self, workspace_id: str) -> Listing[Guardrail]:
        """Those filed in one workspace that can be read; for whoever need not know them all."""
        return list_each(self._transport, "/guardrails", each(Guardrail), query={"workspace_id": workspace_id})

    def get(self, id: str) -> Guardrail:
        return self._transport.send(Call("GET", "/guardrails/{id}", one(Guardrail), ids={"id": id}))

    def create(self, guardrail: NewGuardrail) -> Guardrail:
        """A guardrail that enforces nothing until it is assigned."""
        call = Call("POST", "/guardrails", one(Guardrail), body=Body(guardrail), effect="write")
        return self._transport.send(call)

    def update(self, id: str, patch: GuardrailPatch) -> Guardrail:
        call = Call("PATCH", "/guardrails/{id}", one(Guardrail), ids={"id": id}, body=Body(patch), effect="write")
        return self._transport.send(call)

    def delete(self, id: str) -> None:
        self._transport.send(Call("DELETE", "/guardrails/{id}", deleted, ids={"id": id}, effect="write"))

    def assignments(self) -> builtins.list[KeyAssignment]:
        """Every assignment of a key, of every guardrail."""
        return list_all(
            self._transport, "/guardrails/assignments/keys", many(KeyAssignment), identity=lambda one: one.key_hash
        )

    def each_assignment(self) -> Listing[KeyAssignment]:
        """The assignments of keys that can be read; for whoever need not know them all."""
        return list_each(
            self._transport, "/guardrails/assignments/keys", each(KeyAssignment), identity=lambda one: one.key_hash
        )

    def assigned(self, id: str) -> builtins.list[KeyAssignment]:
        """The keys of one guardrail: shorter than the account's whole list by all others."""
        return list_all(
            self._transport,
            "/guardrails/{id}/assignments/keys",
            many(KeyAssignment),
            ids={"id": id},
            identity=lambda one: one.key_hash,
        )

    def assign(self, id: str, hashes: Sequence[str]) -> None:
        """Idempotent. Replaces whatever guardrail each key had."""
        self._post("/guardrails/{id}/assignments/keys", id, {"key_hashes": list(hashes)})

    def unassign(self, id: str, hashes: Sequence[str]) -> None:
        """Idempotent."""
        self._post("/guardrails/{id}/assignments/keys/remove", id, {"key_hashes": list(hashes)})

    def member_assignments(self) -> builtins.list[MemberAssignment]:
        """Every assignment of a member, of every guardrail."""
        return list_all(
            self._transport,
            "/guardrails/assignments/members",
            many(MemberAssignment),
            identity=lambda one: one.user_id,
        )

    def each_member_assignment(self) -> Listing[MemberAssignment]:
        """The assignments of members that can be read; for whoever need not know them all."""
        return list_each(
            self._transport,
            "/guardrails/assignments/members",
            each(MemberAssignment),
            identity=lambda one: one.user_id,
        )

    def assign_members(self, id: str, user_ids: Sequence[str]) -> None:
        """Idempotent. Replaces whatever guardrail each member had; binds every key that the member created."""
        self._post("/guardrails/{id}/assignments/members", id, {"member_user_ids": list(user_ids)})

    def unassign_members(self, id: str, user_ids: Sequence[str]) -> None:
        """Idempotent."""
        self._post("/guardrails/{id}/assignments/members/remove", id, {"member_user_ids": list(user_ids)})

    def _post(self, path: str, id: str, holders: Mapping[str, builtins.list[str]]) -> None:
        self._transport.send(Call("POST", path, done, ids={"id": id}, body=Body(holders), effect="write"))


class Byok(Resource):
    """Bring-your-own-key credentials."""

    def list(self, workspace_id: str | None = None, provider: str | None = None) -> list[ByokKey]:
        """Those of one workspace; None means the default workspace, not all of them."""
        query = {"workspace_id": workspace_id, "provider": provider}
        return list_all(self._transport, "/byok", many(ByokKey), query=query)

    def get(self, id: str) -> ByokKey:
        return self._transport.send(Call("GET", "/byok/{id}", one(ByokKey), ids={"id": id}))

    def create(self, credential: NewByok) -> ByokKey:
        return self._transport.send(Call("POST", "/byok", one(ByokKey), body=Body(credential), effect="write"))

    def update(self, id: str, patch: ByokPatch) -> ByokKey:
        """Lists are replaced whole, with no way to compare first: read back what stands."""
        call = Call("PATCH", "/byok/{id}", one(ByokKey), ids={"id": id}, body=Body(patch), effect="write")
        return self._transport.send(call)

    def delete(self, id: str) -> None:
        self._transport.send(Call("DELETE", "/byok/{id}", deleted, ids={"id": id}, effect="write"))


class Destinations(Resource):
    """Observability destinations."""

    def list(self, workspace_id: str | None = None) -> list[Destination]:
        """Those of one workspace; None means the default workspace, not all of them."""
        query = {"workspace_id": workspace_id}
        return list_all(self._transport, "/observability/destinations", many(Destination), query=query)

    def get(self, id: str) -> Destination:
        call = Call("GET", "/observability/destinations/{id}", one(Destination), ids={"id": id})
        return self._transport.send(call)

    def create(self, destination: NewDestination) -> Destination:
        body = Body(destination)
        call = Call("POST", "/observability/destinations", one(Destination), body=body, effect="write")
        return self._transport.send(call)

    def update(self, id: str, patch: DestinationPatch) -> Destination:
        path, body = "/observability/destinations/{id}", Body(patch)
        call = Call("PATCH", path, one(Destination), ids={"id": id}, body=body, effect="write")
        return self._transport.send(call)

    def delete(self, id: str) -> None:
        call = Call("DELETE", "/observability/destinations/{id}", deleted, ids={"id": id}, effect="write")
        self._transport.send(call)


class Analytics(Resource):
    """What was spent, by whom and on what."""

    def query(self, question: AnalyticsQuery) -> AnalyticsResult:
        """A read, though it is posted: repeated like one. How fresh the rows are is not documented."""
        return self._transport.send(Call("POST", "/analytics/query", _analytics, body=Body(question)))

    def meta(self) -> AnalyticsMeta:
        """The metrics and dimensions that can be asked for at present."""
        return self._transport.send(Call("GET", "/analytics/meta", one(AnalyticsMeta)))


class Presets(Resource):
    """Presets, seen through an inference key, whose workspace decides which presets there are; or, where
    `workspace_id` is given, through a management key. An archived preset is `NotFound` to every read.

    Source: https://openrouter.ai/docs/api/api-reference/presets. Unverified: whether the answer to `restore` holds the
    `designated_version`, and whether `save` of an archived slug is a `Conflict`.
    """

    def list(self, workspace_id: str | None = None) -> list[Preset]:
        query, management = {"workspace_id": workspace_id}, workspace_id is not None
        return list_all(self._transport, "/presets", many(Preset), query=query, management=management)

    def get(self, slug: str, workspace_id: str | None = None) -> Preset:
        """The preset with its `designated_version`."""
        return self._transport.send(self._call("GET", "/presets/{slug}", one(Preset), slug, workspace_id))

    def versions(self, slug: str, workspace_id: str | None = None) -> builtins.list[PresetVersion]:
        """Every version, oldest first."""
        path, query, management = "/presets/{slug}/versions", {"workspace_id": workspace_id}, workspace_id is not None
        ids = {"slug": slug}
        return list_all(self._transport, path, many(PresetVersion), ids=ids, query=query, management=management)

    def version(self, slug: str, version: int, workspace_id: str | None = None) -> PresetVersion:
        path = "/presets/{slug}/versions/{version}"
        call = self._call("GET", path, one(PresetVersion), slug, workspace_id, version=str(version))
        return self._transport.send(call)

    def save(self, slug: str, chat_body: Mapping[str, Any], workspace_id: str | None = None) -> Preset:
        """Makes the preset or a new version, designated at once. Not idempotent.

        What a preset does not keep is dropped silently: read back and compare.
        """
        path = "/presets/{slug}/chat/completions"
        call = self._call("POST", path, one(Preset), slug, workspace_id)
        return self._transport.send(replace(call, body=Body(chat_body), effect="write"))

    def archive(self, slug: str, workspace_id: str) -> None:
        """Idempotent. The preset is hidden and no longer resolves; its versions and its slug are kept.

        Needs a management key that may write. Raises `Conflict` for a disabled preset.
        """
        call = self._call("DELETE", "/presets/{slug}", done, slug, workspace_id)
        self._transport.send(replace(call, effect="write"))

    def restore(self, slug: str, workspace_id: str) -> Preset:
        """Idempotent. An archived preset resolves again, with the version that was designated before.

        Needs a management key that may write. Raises `Conflict` for a disabled preset.
        """
        call = self._call("POST", "/presets/{slug}/restore", one(Preset), slug, workspace_id)
        return self._transport.send(replace(call, effect="write"))

    def _call[T](
        self, method: str, path: str, parse: Callable[[bytes], T], slug: str, workspace_id: str | None, **ids: str
    ) -> Call[T]:
        query = {} if workspace_id is None else {"workspace_id": workspace_id}
        return Call(method, path, parse, ids={"slug": slug, **ids}, query=query, management=workspace_id is not None)


def _key(body: bytes) -> ApiKey:
    return identified([whole(KeyAnswer)(body).data])[0]


class _Flag(Answer):
    include_byok_in_budgets: bool | None = None


def _budgets(body: bytes) -> tuple[Listing[WorkspaceBudget], bool | None]:
    return Listing.of(each(WorkspaceBudget)(body)), whole(_Flag)(body).include_byok_in_budgets


def _created(body: bytes) -> CreatedKey:
    answer = whole(CreatedKeyAnswer)(body)
    return CreatedKey(identified([answer.data])[0], answer.key)


def _analytics(body: bytes) -> AnalyticsResult:
    answer = one(AnalyticsData)(body)
    return ready(AnalyticsResult)(
        rows=answer.data,
        truncated=answer.metadata.truncated,
        warnings=answer.warnings or [],
        cached_at=answer.computed_at,
    )

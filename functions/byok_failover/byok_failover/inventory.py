"""What the account holds at one beat: workspaces, credentials, keys and guardrails, as far as they could be read.

Unknown is not zero: a list that could not be read is None, and whoever needs it raises nothing and clears nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from byok_failover.chain import Asker
from governor.policy import Byok, Policy
from management_api import AuthenticationFailed, OpenRouterError

if TYPE_CHECKING:
    from management_api import ApiKey, ByokKey, Guardrail, KeyAssignment, MemberAssignment, OpenRouter, Workspace


@dataclass(frozen=True)
class Place:
    """One workspace. `credentials`: its own and the global ones, None where the list could not be read, as `keys`."""

    workspace: "Workspace"
    credentials: "Sequence[ByokKey] | None"
    keys: "Sequence[ApiKey] | None"
    guardrails: "Sequence[Guardrail] | None" = None


@dataclass(frozen=True)
class Inventory:
    """`assignments`: which guardrail each key has, None where they were not read. `errors`: why something is None.

    `members`: which guardrail each member has, and so each key that they created; None as above.
    """

    policy: Policy
    places: tuple[Place, ...]
    assignments: "Sequence[KeyAssignment] | None" = None
    errors: tuple[str, ...] = ()
    members: "Sequence[MemberAssignment] | None" = ()

    def place(self, workspace: str) -> Place | None:
        """The place that the policy means; None where none or several answer to the name."""
        found = [one for one in self.places if workspace in (one.workspace.id, one.workspace.name, one.workspace.slug)]
        return found[0] if len(found) == 1 else None

    @cached_property
    def live_hashes(self) -> frozenset[str] | None:
        """The hashes of every key there is; None where some workspace's could not be read."""
        if any(one.keys is None for one in self.places):
            return None
        return frozenset(key.hash for one in self.places for key in one.keys or ())

    @cached_property
    def credentials_complete(self) -> bool:
        return all(one.credentials is not None for one in self.places)

    @cached_property
    def credentials(self) -> "dict[str, ByokKey]":
        """Every credential that could be read, by id; a global one is in the list of several workspaces."""
        return {one.id: one for place in self.places for one in place.credentials or ()}

    def places_of(self, credential: "ByokKey") -> list[Place]:
        """Where it is used: its workspace, or all for a global one."""
        return [one for one in self.places if credential.workspace_id in (None, one.workspace.id)]

    def askers(self, place: Place) -> tuple[Asker, ...]:
        """The live keys of every declared workload of the place. Their list must have been read."""
        declared = {one.name for one in self.policy.workloads if self.place(one.workspace) is place}
        return tuple(
            Asker(self.policy.lineage_of(key.name), key.hash, key.creator_user_id)
            for key in place.keys or ()
            if not key.disabled and self.policy.lineage_of(key.name) in declared
        )

    def demands_zdr(self, place: Place, asker: Asker, provider: str) -> bool:
        """Whether a guardrail over the key or its workspace enforces zero data retention, as far as it was read."""
        over = self._held((asker,)) | {place.workspace.default_guardrail_id}
        return any(enforces_zdr(one, provider) for one in place.guardrails or () if one.id in over)

    def _held(self, askers: Sequence[Asker]) -> set[str]:
        """The guardrails of the keys themselves, and of the members who created them."""
        hashes, members = {one.hash for one in askers}, {one.member for one in askers}
        of_keys = {one.guardrail_id for one in self.assignments or () if one.key_hash in hashes}
        return of_keys | {one.guardrail_id for one in self.members or () if one.user_id in members}

    def guardrails_over(self, place: Place) -> "list[Guardrail] | None":
        """The workspace's default guardrail and those of its declared workloads' keys and their creators, as far as
        they are filed in the workspace; None where unread."""
        if place.guardrails is None or self.assignments is None or self.members is None:
            return None
        ids = self._held(self.askers(place)) | {place.workspace.default_guardrail_id}
        return [one for one in place.guardrails if one.id in ids]


_ZDR_OF = {
    "anthropic": "enforce_zdr_anthropic",
    "openai": "enforce_zdr_openai",
    "google-vertex": "enforce_zdr_google",
    "google-ai-studio": "enforce_zdr_google",
    "xai": "enforce_zdr_xai",
}
"""OpenRouter's switches by provider; any other has `enforce_zdr_other`."""


def enforces_zdr(rules: "Guardrail", provider: str) -> bool:
    return bool(rules.enforce_zdr or getattr(rules, _ZDR_OF.get(provider, "enforce_zdr_other")))


def decisions(policy: Policy) -> list[Byok]:
    """The policy's decisions, one a workspace and provider: where there are several, the first one's checks hold."""
    found: dict[str, Byok] = {}
    for one in policy.byok:
        found.setdefault(one.name, one)
    return list(found.values())


def read(account: "OpenRouter", policy: Policy) -> Inventory:
    """Every workspace's credentials and keys, and the guardrails of those that the policy decides about.

    Raises what the list of workspaces raises, and `AuthenticationFailed` from anywhere.
    """
    errors: list[str] = []
    workspaces = account.workspaces.list()
    decided = {one.workspace for one in policy.byok}
    places = []
    for one in workspaces:
        keys = _tried(errors, f"keys of {one.name}", partial(account.keys.list, one.id))
        credentials = _tried(errors, f"credentials of {one.name}", partial(account.byok.list, workspace_id=one.id))
        guardrails: Sequence[Guardrail] | None = ()
        if decided & {one.id, one.name, one.slug}:
            guardrails = _tried(errors, f"guardrails of {one.name}", partial(account.guardrails.list, one.id))
        places.append(Place(one, credentials, keys, guardrails))
    assignments = _tried(errors, "guardrails of keys", account.guardrails.assignments) if decided else ()
    found = Inventory(policy, tuple(places), assignments)
    members: Sequence[MemberAssignment] | None = ()
    if any(asker.member for place in places if place.keys for asker in found.askers(place)):
        members = _tried(errors, "guardrails of members", account.guardrails.member_assignments)
    return replace(found, members=members, errors=tuple(errors))


def _tried[T](errors: list[str], what: str, call: Callable[[], T]) -> T | None:
    try:
        return call()
    except AuthenticationFailed:
        raise
    except OpenRouterError as error:
        errors.append(f"{what}: {error}")
        return None

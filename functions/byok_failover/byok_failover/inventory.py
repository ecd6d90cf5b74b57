"""What the account holds at one run: workspaces, credentials, keys and guardrails, as far as they could be read.

Unknown is not zero: a list that could not be read is None, and whoever needs it raises nothing and clears nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from byok_failover.chain import Asker
from byok_failover.remembered import ASKED, Known, alive, left_out
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

    `members`: which guardrail each member has, and so each key that they created; None as above. `names`: declared
    workload by hash, as the lineages have it; `seen`: as the keys were named when they were read before. `dead`: hashes
    in allowlists for which OpenRouter answers 404; `undecided`: those that no list has and that could not be asked for.
    """

    policy: Policy
    places: tuple[Place, ...]
    assignments: "Sequence[KeyAssignment] | None" = None
    errors: tuple[str, ...] = ()
    members: "Sequence[MemberAssignment] | None" = ()
    names: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    workspaces_known: bool = True
    dead: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()

    def place(self, workspace: str) -> Place | None:
        """The place that the policy means; None where none or several answer to the name."""
        found = [one for one in self.places if workspace in (one.workspace.id, one.workspace.name, one.workspace.slug)]
        return found[0] if len(found) == 1 else None

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
        """The live keys of declared workloads in the place, known by hash, or by a name that is declared there.

        Their list must have been read.
        """
        live = [key for key in place.keys or () if not key.disabled]
        owned = ((self._owner(place, key), key) for key in live)
        return tuple(Asker(name, key.hash, key.creator_user_id) for name, key in owned if name)

    def elsewhere(self, place: Place) -> "list[tuple[Asker, Place]]":
        """The live keys of the place's declared workloads that are in other places, as far as those were read."""
        declared = self._declared(place)
        return [
            (asker, other)
            for other in self.places
            if other is not place
            for asker in self.askers(other)
            if asker.name in declared
        ]

    def workload_of(self, place: Place, key: "ApiKey") -> str:
        """The workload that the key is of; the name that it bears where no declared one is known."""
        return self._owner(place, key) or self.policy.lineage_of(key.name)

    def _owner(self, place: Place, key: "ApiKey") -> str | None:
        """The declared workload whose lineage holds the key's hash; else whose name it bears in the workload's own
        workspace; else whose it was when it was read before."""
        name = self.policy.lineage_of(key.name)
        return self.names.get(key.hash) or (name if name in self._declared(place) else self.seen.get(key.hash))

    def _declared(self, place: Place) -> frozenset[str]:
        return self._homes.get(place.workspace.id, frozenset())

    @cached_property
    def _homes(self) -> dict[str, frozenset[str]]:
        """The workloads that are declared in each workspace, by its id."""
        homes: dict[str, set[str]] = {}
        for one in self.policy.workloads:
            if place := self.place(one.workspace):
                homes.setdefault(place.workspace.id, set()).add(one.name)
        return {id: frozenset(names) for id, names in homes.items()}

    def observed(self) -> dict[str, Known]:
        """What is worth being remembered of each workspace, by its id."""
        return {
            place.workspace.id: Known(
                None if place.credentials is None else frozenset(one.id for one in place.credentials),
                None
                if place.keys is None
                else {
                    key.hash: self.workload_of(place, key)
                    for key in place.keys
                    if key.byok_usage > 0 or self._owner(place, key)
                },
            )
            for place in self.places
        }

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


def read(account: "OpenRouter", policy: Policy, names: Mapping[str, str], seen: Mapping[str, Known]) -> Inventory:
    """Every workspace's credentials and keys, and the guardrails of those that the policy decides about.

    `names`: workload by hash, as the ledger's lineages have it. `seen`: what was read before, by workspace id; what a
    list leaves out of it is asked for by itself, and an incomplete list is as good as unread.

    Raises what the list of workspaces raises, and `AuthenticationFailed` from anywhere.
    """
    errors: list[str] = []
    workspaces, workspaces_known = _workspaces(account, policy, seen, errors)
    decided = {one.workspace for one in policy.byok}
    places = []
    for one in workspaces:
        keys = _tried(errors, f"keys of {one.name}", partial(account.keys.list, one.id))
        credentials = _tried(errors, f"credentials of {one.name}", partial(account.byok.list, workspace_id=one.id))
        guardrails: Sequence[Guardrail] | None = ()
        if decided & {one.id, one.name, one.slug}:
            guardrails = _tried(errors, f"guardrails of {one.name}", partial(account.guardrails.list, one.id))
        places.append(Place(one, credentials, keys, guardrails))
    places = _keys_confirmed(
        account, _credentials_confirmed(account, places, seen, errors), policy, names, seen, errors
    )
    assignments = _tried(errors, "guardrails of keys", account.guardrails.assignments) if decided else ()
    found = Inventory(
        policy,
        tuple(places),
        assignments,
        names={hash: name for hash, name in names.items() if policy.workload(name)},
        seen={hash: name for one in seen.values() for hash, name in (one.keys or {}).items() if policy.workload(name)},
        workspaces_known=workspaces_known,
    )
    dead, undecided = _dead(account, found, errors)
    found = replace(found, dead=dead, undecided=undecided)
    members: Sequence[MemberAssignment] | None = ()
    if any(asker.member for place in places if place.keys for asker in found.askers(place)):
        members = _tried(errors, "guardrails of members", account.guardrails.member_assignments)
    return replace(found, members=members, errors=tuple(errors))


def _workspaces(
    account: "OpenRouter", policy: Policy, seen: Mapping[str, Known], errors: list[str]
) -> "tuple[list[Workspace], bool]":
    """Those that are listed, and each that was seen before, or that the policy names by id or slug, and answers.

    False where it is not known whether that is all of them.
    """
    found = account.workspaces.list()
    named = {word for one in found for word in (one.id, one.name, one.slug)}
    missing = (seen.keys() | {one.workspace for one in policy.byok}) - named
    by_id = {one.id: one for one in found}
    lives = _tried(errors, "workspaces that are not listed", partial(alive, missing, account.workspaces.get))
    unlisted = {one.id: one for one in lives or () if one.id not in by_id}
    if unlisted:
        errors.append(left_out("workspaces", len(unlisted)))
    elif not found:
        errors.append("workspaces: the list is empty, though every account has one")
    return [*found, *unlisted.values()], bool(found) and lives is not None


def _credentials_confirmed(
    account: "OpenRouter", places: list[Place], seen: Mapping[str, Known], errors: list[str]
) -> list[Place]:
    """The places; credentials None where a list left out one that was seen there and lives."""
    confirmed = []
    for place in places:
        id, what = place.workspace.id, f"credentials of {place.workspace.name}"
        listed = {one.id for one in place.credentials or ()}
        missing = (
            (seen[id].credentials or frozenset()) - listed if id in seen and place.credentials is not None else set()
        )
        lives = _tried(errors, what, partial(alive, missing, account.byok.get))
        here = [one for one in lives or () if one.workspace_id in (None, id)]
        if here:
            errors.append(left_out(what, len(here)))
        confirmed.append(replace(place, credentials=None) if lives is None or here else place)
    return confirmed


def _keys_confirmed(
    account: "OpenRouter",
    places: list[Place],
    policy: Policy,
    names: Mapping[str, str],
    seen: Mapping[str, Known],
    errors: list[str],
) -> list[Place]:
    """The places; keys None in each whose list left out a key that is known and lives there, whoever moved it."""
    listed = {key.hash for place in places for key in place.keys or ()}
    unread = {place.workspace.id for place in places if place.keys is None}
    known = {hash for hash, name in names.items() if policy.workload(name)}
    known |= {hash for one in seen.values() for hash in one.keys or ()}
    known -= {hash for id, one in seen.items() if id in unread for hash in one.keys or ()}
    lives = _tried(errors, "keys that no list has", partial(alive, known - listed, account.keys.get))
    if lives is None:
        return [replace(place, keys=None) for place in places]
    confirmed = []
    for place in places:
        count = sum(key.workspace_id == place.workspace.id for key in lives)
        if count and place.keys is not None:
            errors.append(left_out(f"keys of {place.workspace.name}", count))
            place = replace(place, keys=None)
        confirmed.append(place)
    return confirmed


def _dead(account: "OpenRouter", inventory: Inventory, errors: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The hashes in allowlists that OpenRouter answers 404 for, and those of which that is not known."""
    live = {key.hash for place in inventory.places for key in place.keys or ()}
    named = {hash for one in inventory.credentials.values() for hash in one.allowed_api_key_hashes or ()}
    unlisted = sorted(named - live)
    lives = _tried(errors, "keys in allowlists", partial(alive, unlisted, account.keys.get))
    if lives is None:
        return frozenset(), frozenset(unlisted)
    return frozenset(unlisted[:ASKED]) - {key.hash for key in lives}, frozenset(unlisted[ASKED:])


def _tried[T](errors: list[str], what: str, call: Callable[[], T]) -> T | None:
    try:
        return call()
    except AuthenticationFailed:
        raise
    except OpenRouterError as error:
        errors.append(f"{what}: {error}")
        return None

"""The state of one OpenRouter account, and the rules that hold between its parts. Knows no HTTP.

Every lookup that fails raises `Refusal` as the API would. Methods are called under the simulator's lock.
A few lines over 300: one account, whose parts hold rules between them.
"""

from collections import Counter, deque
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.analytics import Analytics, Tally, Traffic
from sandbox.openrouter.broadcast import Delivery
from sandbox.openrouter.catalogue import MODELS
from sandbox.openrouter.clock import Clock
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.destinations import Destination
from sandbox.openrouter.federation import Federation
from sandbox.openrouter.generations import Generation
from sandbox.openrouter.guardrails import DEFAULTS as GUARDRAIL_DEFAULTS
from sandbox.openrouter.guardrails import Assignment, Guardrail
from sandbox.openrouter.identities import Identities, hash_of, label_of
from sandbox.openrouter.keys import Key, KeyRing
from sandbox.openrouter.metering import Meter
from sandbox.openrouter.periods import day_of, start_of
from sandbox.openrouter.presets import Preset, Version
from sandbox.openrouter.refusals import Refusal, invalid, not_found
from sandbox.openrouter.response_cache import ResponseCache
from sandbox.openrouter.workspaces import DEFAULT_SETTINGS, Workspace

if TYPE_CHECKING:
    from sandbox.openrouter.scripts import Script

OWNER = "user_fake_owner"
"""The member who made the management key; workspaces name them as creator, keys only where they are asked to."""


BYOK_FREE_REQUESTS = 1_000_000
"""BYOK requests of a month that cost no fee (vendor: guide on BYOK)."""


class Organization:
    """`credits` is the total ever bought, in USD; `byok_fee` the share of BYOK inference billed to credits."""

    def __init__(
        self, clock: Clock, seed: int, management_label: str, *, credits: float = 1000.0, byok_fee: float = 0.0
    ) -> None:
        self.clock = clock
        self.management_label = management_label
        self.ids = Identities(seed)
        self.id = f"org_fake_{self.ids.uuid('organization')[:8]}"
        self.credits = credits
        self.byok_fee = byok_fee
        # A month's BYOK requests that cost no fee, and those counted against it, by the month's first day.
        self.byok_free_requests = BYOK_FREE_REQUESTS
        self.byok_requests: Counter[int] = Counter()
        self.meter = Meter()
        self.members: dict[str, str] = {OWNER: "org:admin"}
        self.keys = KeyRing()
        self.workspaces: dict[str, Workspace] = {}
        self.guardrails: dict[str, Guardrail] = {}
        self.key_assignments: dict[str, Assignment] = {}
        self.member_assignments: dict[str, Assignment] = {}
        self.credentials: dict[str, Credential] = {}
        self.destinations: dict[str, Destination] = {}
        self.presets: dict[tuple[str, str], Preset] = {}
        self.generations: dict[str, Generation] = {}
        self.analytics = Analytics()
        # When analytics was asked in the last minute, and answers it may give again, by question, for so many seconds.
        self.analytics_asked: deque[float] = deque()
        self.analytics_cache: dict[str, tuple[float, dict[str, Any]]] = {}
        self.analytics_cache_seconds = 0.0
        self.cache = ResponseCache()
        self.outbox: list[Delivery] = []
        self.scripts: list[Script] = []
        # What a provider answers instead of serving, by its slug.
        self.outages: dict[str, int] = {}
        # Seconds that a key may live (Settings, Privacy); None: for ever. Set by people, told by no API.
        self.max_key_lifetime: float | None = None
        # (provider, model) whose only endpoints are those of one region, at a premium.
        self.regional_only: set[tuple[str, str]] = set()
        self.revoked_provider_keys: set[str] = set()
        # What the management key may do. Empty: every workspace.
        self.management_read_only = False
        self.management_workspace_id = ""
        # When it expires, epoch seconds; None: never.
        self.management_expires_at: float | None = None
        # Networks that keys may be used from (Settings, Security); none: from anywhere.
        self.allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
        self.federation = Federation()
        # What `GET /models` says otherwise than the catalogue, by the model's id; None: the model is listed no more.
        self.listed_models: dict[str, dict[str, Any] | None] = {}
        # Fields of a config that a preset should keep, and that are lost all the same.
        self.lost_fields: set[str] = set()
        # Requests to free models, by day since the epoch.
        self.free_requests: Counter[int] = Counter()
        self._member_meters: dict[str, Meter] = {}
        self.default_workspace = self.create_workspace("Default", "default")

    @property
    def now(self) -> float:
        return self.clock.now()

    # Workspaces

    def create_workspace(self, name: str, slug: str, **settings: Any) -> Workspace:
        if any(workspace.slug == slug for workspace in self.workspaces.values()):
            raise invalid(f"Workspace slug already in use: {slug}")
        workspace = Workspace(
            self.ids.uuid("workspace"),
            self.ids.uuid("default guardrail"),
            self.now,
            {**DEFAULT_SETTINGS, "name": name, "slug": slug, **settings},
            created_by=OWNER,
        )
        self.workspaces[workspace.id] = workspace
        return workspace

    def workspace(self, id_or_slug: str | None) -> Workspace:
        """By id or slug; None is the default workspace."""
        if id_or_slug is None:
            if self.default_workspace.id not in self.workspaces:
                raise invalid("The default workspace was deleted: pass workspace_id")
            return self.default_workspace
        found = self.workspaces.get(id_or_slug)
        by_slug = (workspace for workspace in self.workspaces.values() if workspace.slug == id_or_slug)
        found = found or next(by_slug, None)
        if not found:
            raise not_found("Workspace")
        return found

    def delete_workspace(self, workspace: Workspace) -> None:
        """Its guardrails and budgets go with it, its destinations are disabled (vendor: DELETE /workspaces/{id})."""
        for key in self.keys.of_workspace(workspace.id):
            self.delete_key(key.hash)
        for guardrail in [each for each in self.guardrails.values() if each.workspace_id == workspace.id]:
            self.delete_guardrail(guardrail)
        for destination in self.destinations.values():
            if destination.workspace_id == workspace.id:
                destination.settings["enabled"] = False
        del self.workspaces[workspace.id]

    # Keys

    def create_key(
        self, name: str, *, workspace: str | None = None, plaintext: str | None = None, **fields: Any
    ) -> tuple[Key, str]:
        """The key and its plaintext, which is kept nowhere. `workspace`: id, slug, or None for the default one.

        A key made without `creator_user_id` is not a member's: no member's guardrail, budget or filter binds it.
        """
        plaintext = plaintext or self.ids.plaintext()
        key = Key(hash_of(plaintext), name, label_of(plaintext), self.workspace(workspace).id, self.now, **fields)
        self.keys.add(key)
        return key, plaintext

    def key(self, key_hash: str) -> Key:
        key = self.keys.get(key_hash)
        if not key:
            raise not_found("API key")
        return key

    def refuses_life_of(self, key: Key) -> bool:
        """Whether the key never expires, or later than the organization allows: its requests are refused (vendor: guide
        on security settings), those of a key that was there before included."""
        most = self.max_key_lifetime
        return most is not None and (key.expires_at is None or key.expires_at - key.created_at > most)

    def delete_key(self, key_hash: str) -> None:
        self.key(key_hash)
        self.keys.remove(key_hash)
        self.key_assignments.pop(key_hash, None)

    def require_live_keys(self, hashes: Iterable[str] | None) -> None:
        """Every hash of an allowlist must belong to a key that exists, or the whole write is a 400."""
        unknown = [each for each in hashes or () if not self.keys.get(each)]
        if unknown:
            raise invalid(f"Unknown API key hash: {unknown[0]}")

    # Guardrails

    def create_guardrail(self, name: str, workspace: str | None = None, **rules: Any) -> Guardrail:
        rules = {**GUARDRAIL_DEFAULTS, **rules, "name": name}
        guardrail = Guardrail(self.ids.uuid("guardrail"), self.workspace(workspace).id, self.now, rules)
        self.guardrails[guardrail.id] = guardrail
        return guardrail

    def guardrail(self, guardrail_id: str, *, materialise: bool = False) -> Guardrail:
        """`materialise`: a write to an unconfigured workspace default brings it into being."""
        found = self.guardrails.get(guardrail_id)
        if found:
            return found
        owner = next((each for each in self.workspaces.values() if each.default_guardrail_id == guardrail_id), None)
        if not owner or not materialise:
            raise not_found("Guardrail")
        rules = {**GUARDRAIL_DEFAULTS, "name": f"Workspace {owner.id} Default"}
        self.guardrails[guardrail_id] = Guardrail(guardrail_id, owner.id, self.now, rules)
        return self.guardrails[guardrail_id]

    def delete_guardrail(self, guardrail: Guardrail) -> None:
        for table in (self.key_assignments, self.member_assignments):
            for holder in [each for each, held in table.items() if held.guardrail_id == guardrail.id]:
                del table[holder]
        del self.guardrails[guardrail.id]

    def is_default_guardrail(self, guardrail_id: str) -> bool:
        return any(workspace.default_guardrail_id == guardrail_id for workspace in self.workspaces.values())

    def remove_member(self, user_id: str) -> None:
        """Their guardrail goes with them; keys that they created stay theirs by name."""
        del self.members[user_id]
        self.member_assignments.pop(user_id, None)

    def assign(self, guardrail: Guardrail, holders: list[str], *, members: bool = False) -> int:
        """A holder has at most one guardrail: assigning replaces. Answers how many were assigned."""
        table = self.member_assignments if members else self.key_assignments
        known = self.members if members else {each for each in holders if self.keys.get(each)}
        unknown = [each for each in holders if each not in known]
        if unknown:
            raise not_found("Member" if members else "API key")
        for holder in holders:
            table[holder] = Assignment(self.ids.uuid("assignment"), guardrail.id, holder, self.now, OWNER)
        return len(holders)

    def unassign(self, guardrail: Guardrail, holders: list[str], *, members: bool = False) -> int:
        table = self.member_assignments if members else self.key_assignments
        held = [each for each in holders if each in table and table[each].guardrail_id == guardrail.id]
        for holder in held:
            del table[holder]
        return len(held)

    def guardrail_of_key(self, key_hash: str) -> Guardrail | None:
        assignment = self.key_assignments.get(key_hash)
        return self.guardrails[assignment.guardrail_id] if assignment else None

    def guardrail_of_member(self, user_id: str | None) -> Guardrail | None:
        assignment = self.member_assignments.get(user_id or "")
        return self.guardrails[assignment.guardrail_id] if assignment else None

    def guardrails_over(self, key: Key) -> list[Guardrail]:
        """Every guardrail whose rules bind a request of this key."""
        default = self.guardrails.get(self.workspaces[key.workspace_id].default_guardrail_id)
        found = (default, self.guardrail_of_member(key.creator_user_id), self.guardrail_of_key(key.hash))
        return [guardrail for guardrail in found if guardrail]

    # Presets

    def preset(self, workspace_id: str, slug: str, *, archived: bool = False) -> Preset:
        """`archived`: an archived preset is found, too. Raises a 404."""
        found = self.presets.get((workspace_id, slug))
        if not found or (found.status == "archived" and not archived):
            raise not_found("Preset")
        return found

    def add_preset_version(
        self, key: Key | None, slug: str, prompt: str | None, config: dict[str, Any], workspace_id: str = "",
        member: str | None = None,
    ) -> Preset:  # fmt: skip
        """A new version is the designated one at once; there is no way back but posting an old one again.

        `workspace_id`: needed where no inference key says it. `member`: who saves it by hand; else its creator is the
        key's. Raises a 409 for an archived preset.
        """
        now, creator = self.now, member or (key and key.creator_user_id) or OWNER
        place = workspace_id or (key.workspace_id if key else self.default_workspace.id)
        preset = self.presets.get((place, slug))
        if not preset:
            preset = Preset(self.ids.uuid("preset"), slug, place, now, now, creator)
            self.presets[place, slug] = preset
        if preset.status == "archived":
            raise Refusal(409, f"Preset {slug} is archived")
        number = len(preset.versions) + 1
        preset.versions.append(Version(self.ids.uuid("version"), preset.id, number, prompt, config, creator, now))
        preset.updated_at = now
        return preset

    # Spend

    def member_meter(self, key: Key) -> Meter | None:
        """What the key's creator spent, over all of their keys."""
        return None if key.creator_user_id is None else self._member_meters.setdefault(key.creator_user_id, Meter())

    def charge(self, key: Key, at: float, usage: float, byok: float) -> None:
        """Count spend in every layer at once. `last_used_at` moves even when nothing was billed. USD."""
        for meter in (key.meter, self.workspaces[key.workspace_id].meter, self.meter, self.member_meter(key)):
            if meter:
                meter.add(at, usage, byok)
        key.last_used_at = max(at, key.last_used_at or at)

    def bill(self, usd: float, requests: int, at: float, *, is_byok: bool) -> tuple[float, float]:
        """`requests` equal requests of `usd` together: USD billed to credits, and paid by the organization's account.

        Under BYOK credits are billed the fee only, and only of what is beyond the month's free requests.
        """
        if not is_byok:
            return usd, 0.0
        free = max(0, self.byok_free_requests - self.byok_requests[start_of("monthly", at)])
        return usd * self.byok_fee * max(0, requests - free) / requests, usd

    def record(self, at: float, traffic: Traffic, tally: Tally) -> None:
        """Show the requests in analytics, and count those to free models against the day's allowance."""
        self.analytics.record(at, traffic, tally)
        self.byok_requests[start_of("monthly", at)] += tally.byok_requests
        if MODELS[traffic.model].is_free:
            self.free_requests[day_of(at)] += tally.requests

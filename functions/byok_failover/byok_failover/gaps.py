"""Where failover would not work, found by reading alone. Pure.

For one decision of the policy, in this order; a rule whose facts could not be read says neither yes nor no:

- `workspace_missing`, `provider_unknown`   the decision is about nothing there is; nothing else is asked of it
- `too_few_prioritized`, `too_few_fallback` fewer enabled credentials of a tier than expected
- `tier_disabled`        a tier has credentials, and every one of them is disabled
- `left_out`             a declared workload's key, model or member has no credential, though others have
- `shared_missing`       OpenRouter's own capacity is to take over, and a credential forbids it
- `shared_allowed`       it is not to, and nothing forbids it
- `spread_impossible`    several prioritized credentials are to share the load, and the first takes all of it
- `key_elsewhere`        a key of a declared workload is in another workspace, whose credentials serve it
- `dead_hashes`          an allowlist names keys that OpenRouter has no more
- `allowlist_full`       an allowlist is close to the 100 hashes that OpenRouter takes
- `declared_differs`     a credential's declared region or ZDR is not the expected one
- `guardrail_contradicts` it is not what a guardrail over the workspace or its workloads asks for
- `zdr_fallback_unused`  a fallback credential declares ZDR, and a prioritized one that is required and does not keeps
                         requests that demand ZDR from it: they fail
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from byok_failover.chain import Asker, called, chain, own, pictured, shared_left_out, stands_before
from byok_failover.inventory import Inventory, Place, enforces_zdr
from governor.byok_marks import mark_of
from governor.policy import Byok

if TYPE_CHECKING:
    from management_api import ByokKey

MOST_HASHES, CLOSE = 100, 90


@dataclass(frozen=True)
class Finding:
    """One gap of one decision. `about`: what of it, so that two of a rule stay apart. `todo`: what mends it."""

    decision: str
    rule: str
    detail: str
    todo: str = ""
    about: str = ""
    chain: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return "#".join((self.decision, self.rule, self.about))


@dataclass(frozen=True)
class Looked:
    """What was found of one decision. `unknown`: rules that could not be asked (`rule`, or `rule#about` for one of its
    findings); None: not one could."""

    findings: tuple[Finding, ...] = ()
    unknown: frozenset[str] | None = frozenset()
    chains: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """The decision is about nothing there is."""
        return any(one.rule in ("workspace_missing", "provider_unknown") for one in self.findings)


def look(byok: Byok, inventory: Inventory) -> Looked:
    """Every gap of the decision."""
    place = inventory.place(byok.workspace)
    if place is None and not inventory.workspaces_known:
        return Looked(unknown=None)
    if place is None:
        detail = f"the account has no workspace {byok.workspace}, or several by that name"
        todo = "Fix `byok[].workspace` (a slug or an id), or take the decision out of the policy."
        return Looked((Finding(byok.name, "workspace_missing", detail, todo),))
    if place.credentials is None:
        return Looked(unknown=None)
    credentials = own(place.credentials, byok.provider)
    if not credentials and inventory.credentials_complete:
        known = sorted({one.provider for one in inventory.credentials.values()})
        if byok.provider not in known:
            return Looked((_unknown_provider(byok, known),))
    case = _Case(byok, inventory, place, credentials, [_given_back(one) for one in credentials])
    findings = tuple(one for rule in _RULES for one in rule(case))
    return Looked(findings, case.unknown, case.chains)


def _given_back(credential: "ByokKey") -> "ByokKey":
    """A credential that Governor holds disabled is no gap: it was told, and it comes back."""
    held = credential.disabled and mark_of(credential.name) is not None
    return credential.model_copy(update={"disabled": False}) if held else credential


@dataclass(frozen=True)
class _Case:
    """`found`: the credentials as they are; `credentials`: with what Governor holds given back."""

    byok: Byok
    inventory: Inventory
    place: Place
    found: "list[ByokKey]"
    credentials: "list[ByokKey]"

    @property
    def enabled(self) -> "list[ByokKey]":
        return [one for one in self.credentials if not one.disabled]

    @property
    def askers(self) -> tuple[Asker, ...]:
        return self.inventory.askers(self.place) if self.place.keys is not None else ()

    @property
    def unknown(self) -> frozenset[str]:
        rules: set[str] = set()
        if self.place.keys is None:
            rules |= {"left_out", "spread_impossible"}
        if any(place.keys is None for place in self.inventory.places):
            rules.add("key_elsewhere")
        if self.inventory.undecided:
            rules.add("dead_hashes")
        if self.inventory.guardrails_over(self.place) is None:
            rules.add("guardrail_contradicts")
        return frozenset(rules)

    @property
    def chains(self) -> tuple[str, ...]:
        """For each workload and model: what is tried, in order. Keys of a workload that fare alike are one line."""
        lines = (
            pictured(asker.name, model, chain(self.found, self.byok.provider, asker, model))
            for asker in self.askers
            for model in self.byok.purposes
        )
        return tuple(dict.fromkeys(lines))

    def finding(self, rule: str, detail: str, todo: str = "", about: str = "") -> Finding:
        return Finding(self.byok.name, rule, detail, todo, about, self.chains)


def _unknown_provider(byok: Byok, known: list[str]) -> Finding:
    near = get_close_matches(byok.provider, known, 1)
    meant = f" Is {near[0]} meant?" if near else ""
    detail = f"no workspace of the account has a credential of a provider {byok.provider!r}.{meant}"
    return Finding(
        byok.name, "provider_unknown", detail, "Fix `byok[].provider` (OpenRouter's slug), or add the credential."
    )


def _too_few(case: _Case) -> Iterator[Finding]:
    for tier, wanted, fallback in (
        ("prioritized", case.byok.expect.prioritized, False),
        ("fallback", case.byok.expect.fallback, True),
    ):
        there = [one for one in case.credentials if one.is_fallback is fallback]
        enabled = [one for one in there if not one.disabled]
        if there and not enabled:
            detail = f"every {tier} credential is disabled: {_named(there)}"
            yield case.finding("tier_disabled", detail, "Enable one, or lower the expectation.", tier)
        elif len(enabled) < wanted:
            detail = f"{len(enabled)} enabled {tier} credentials, and {wanted} are expected"
            yield case.finding(f"too_few_{tier}", detail, "Add or enable one at OpenRouter, or fix `byok[].expect`.")


def _left_out(case: _Case) -> Iterator[Finding]:
    if not case.enabled:
        return
    for asker in case.askers:
        for model in case.byok.purposes:
            steps = chain(case.credentials, case.byok.provider, asker, model)
            if any(step.credential for step in steps):
                continue
            then = "paid with credits" if steps else "refused"
            detail = f"no credential lets {asker.name} (key {asker.hash[:8]}…) in for {model}: its requests are {then}"
            todo = "Add the key's hash, the model or the member to the credential's filters."
            yield case.finding("left_out", detail, todo, f"{asker.name}/{model}")


def _elsewhere(case: _Case) -> Iterator[Finding]:
    for asker, other in case.inventory.elsewhere(case.place):
        detail = (
            f"a key of {asker.name} ({asker.hash[:8]}…) is in workspace {other.workspace.name}: the credentials of "
            f"that workspace serve it, and not these"
        )
        todo = "Move the key back in OpenRouter, or fix the workload's `workspace`."
        yield case.finding("key_elsewhere", detail, todo, asker.hash)


def _shared(case: _Case) -> Iterator[Finding]:
    wanted = case.byok.expect.shared
    if wanted is None:
        return
    closed = [model for model in case.byok.purposes if shared_left_out(case.credentials, model)]
    if not case.byok.purposes and any(one.is_byok_only for one in case.enabled):
        closed = ["every model"]
    if wanted and closed:
        detail = f"credits cannot take over for {', '.join(closed)}: a credential is is_byok_only or is_required"
        yield case.finding("shared_missing", detail, "Take that off at OpenRouter, or set `expect.shared: false`.")
    if not wanted and (case.byok.purposes or not closed) and len(closed) < len(case.byok.purposes or ("one",)):
        open_to = [model for model in case.byok.purposes if model not in closed] or ["every model"]
        detail = f"credits take over for {', '.join(open_to)}: no enabled credential is is_byok_only or is_required"
        yield case.finding("shared_allowed", detail, "Set is_byok_only at OpenRouter, or `expect.shared: true`.")


def _spread(case: _Case) -> Iterator[Finding]:
    prioritized = [one for one in case.enabled if not one.is_fallback]
    if not case.byok.expect.spread or len(prioritized) < 2 or not case.askers or not case.byok.purposes:
        return
    firsts = set()
    for asker in case.askers:
        for model in case.byok.purposes:
            step = next(iter(chain(case.credentials, case.byok.provider, asker, model)), None)
            firsts.add(step.credential.id if step and step.credential else None)
    if len(firsts) == 1:
        detail = (
            f"{_named(prioritized[:1])} is first for every workload and model: it takes all the load until it fails, "
            f"for OpenRouter tries credentials in their order and never in turns"
        )
        yield case.finding("spread_impossible", detail, "Give each its own models, keys or members by its filters.")


def _hashes(case: _Case) -> Iterator[Finding]:
    for one in case.credentials:
        listed = one.allowed_api_key_hashes or []
        dead = [hash for hash in listed if hash in case.inventory.dead]
        if dead:
            shown = ", ".join(f"{hash[:8]}…" for hash in dead[:5])
            detail = f"the allowlist of {called(one)} names {len(dead)} keys that live no more: {shown}"
            yield case.finding("dead_hashes", detail, "Take them out: the next change of the list is refused.", one.id)
        if len(listed) >= CLOSE:
            detail = f"the allowlist of {called(one)} holds {len(listed)} of {MOST_HASHES} hashes"
            todo = "Take keys out, or lift the restriction: a rotation needs room for one more."
            yield case.finding("allowlist_full", detail, todo, one.id)


def _declared(case: _Case) -> Iterator[Finding]:
    expect = case.byok.expect
    for one in case.enabled:
        if expect.region is not None and one.declared_region != expect.region:
            detail = f"{called(one)} declares region {one.declared_region or 'none'}, and {expect.region} is expected"
            yield case.finding("declared_differs", detail, "Fix the credential or `expect.region`.", f"{one.id}/region")
        if expect.zdr is not None and bool(one.declared_zdr) != expect.zdr:
            said = "declares" if one.declared_zdr else "does not declare"
            detail = f"{called(one)} {said} zero data retention, and the policy expects otherwise"
            yield case.finding("declared_differs", detail, "Fix the credential or `expect.zdr`.", f"{one.id}/zdr")


def _guardrails(case: _Case) -> Iterator[Finding]:
    for rules in case.inventory.guardrails_over(case.place) or ():
        for one in case.enabled:
            regions = rules.allowed_data_regions
            if regions and one.declared_region and one.declared_region not in regions:
                detail = (
                    f"{called(one)} declares region {one.declared_region}, and guardrail {rules.name} allows "
                    f"{', '.join(regions)} only: it is passed over"
                )
                yield case.finding(
                    "guardrail_contradicts", detail, "Fix one of the two.", f"{one.id}/{rules.id}/region"
                )
            if one.declared_zdr is False and enforces_zdr(rules, case.byok.provider):
                detail = (
                    f"{called(one)} declares no zero data retention, and guardrail {rules.name} enforces it: "
                    f"it is passed over"
                )
                yield case.finding("guardrail_contradicts", detail, "Fix one of the two.", f"{one.id}/{rules.id}/zdr")


def _zdr_fallback(case: _Case) -> Iterator[Finding]:
    """Told whether or not a guardrail enforces it: a caller may demand ZDR, and that is what a declaration is for."""
    for fallback in case.enabled:
        if not fallback.is_fallback or fallback.declared_zdr is not True:
            continue
        models = [
            one for one in case.byok.purposes if fallback.allowed_models is None or one in fallback.allowed_models
        ]
        found = {one.id: one for model in models if (one := stands_before(case.credentials, model))}
        for first in found.values():
            detail = (
                f"{called(fallback)} (fallback) declares zero data retention and is not used where it is demanded: "
                f"{called(first)} is is_required and does not declare it, so such a request fails"
            )
            todo = f"Declare it on {called(first)}, take is_required off that, or make {called(fallback)} prioritized."
            yield case.finding("zdr_fallback_unused", detail, todo, f"{fallback.id}/{first.id}")


def _named(credentials: "list[ByokKey]") -> str:
    return ", ".join(called(one) for one in credentials)


_RULES = (_too_few, _left_out, _elsewhere, _shared, _spread, _hashes, _declared, _guardrails, _zdr_fallback)

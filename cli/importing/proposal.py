"""What the account has and the policy lacks. Pure: an account and a policy in, entries and remarks out."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cli.account import Account
from cli.importing.naming import CONVENTION, suggestion, workload_of
from cli.importing.pairs import PresetPair, preset_pairs
from governor.account.workspaces import meant
from governor.policy import Policy
from management_api import ApiKey, ByokKey
from tools.policy import UNFILLED_USER

PERIODS = ("daily", "weekly", "monthly", None)


@dataclass(frozen=True)
class NewWorkload:
    """A workload to be declared. `keys`: its live keys, the current one first. `note`: a comment beside its key."""

    name: str
    workspace: str
    keys: tuple[ApiKey, ...]
    owner: str = UNFILLED_USER
    adopts: str | None = None
    limit_usd: float | None = None
    limit_reset: str | None = None
    include_byok: bool = False
    guardrail: str | None = None
    expires_in: timedelta | None = None
    note: str | None = None


@dataclass(frozen=True)
class NewDecision:
    """A decision about a provider key of our own, as the credentials stand: enabled ones of each tier."""

    workspace: str
    provider: str
    prioritized: int
    fallback: int


@dataclass(frozen=True)
class Remark:
    """Something that was not written, and why. `subject`: a key, credential, preset or workload by name."""

    kind: str
    subject: str
    workspace: str
    why: str


@dataclass(frozen=True)
class OffConvention:
    """A key that no workload can be told from: its name, and one to map it to."""

    name: str
    workspace: str
    suggested: str


@dataclass
class Proposal:
    """What to add to the policy, and what a person should know."""

    workloads: list[NewWorkload] = field(default_factory=list)
    decisions: list[NewDecision] = field(default_factory=list)
    presets: list[PresetPair] = field(default_factory=list)
    off_convention: list[OffConvention] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.workloads or self.decisions or self.presets)


def propose(
    account: Account,
    policy: Policy | None,
    mapping: Mapping[str, str],
    *,
    owner: str | None = None,
    foreign: Collection[str] = (),
) -> Proposal:
    """What the policy lacks. `owner`: Slack id of whoever owns what nobody else does. `foreign`: ids and hashes of what
    somebody else manages, such as Terraform, and the policy is not to declare."""
    made = Proposal()
    _workloads(made, account, policy, mapping, owner, foreign)
    _decisions(made, account, policy, foreign)
    made.presets, unclear = preset_pairs(account, policy)
    made.remarks += [Remark("preset", slug, ", ".join(places), why) for slug, places, why in unclear]
    return made


def is_live(key: ApiKey, now: datetime) -> bool:
    """Whether the key can be used: neither disabled nor expired."""
    return not key.disabled and (key.expires_at is None or key.expires_at > now)


def _workloads(
    made: Proposal,
    account: Account,
    policy: Policy | None,
    mapping: Mapping[str, str],
    owner: str | None,
    foreign: Collection[str],
) -> None:
    groups: dict[str, dict[str, list[ApiKey]]] = {}
    for key in account.keys:
        place = account.workspace_name(key.workspace_id)
        if key.hash in foreign:
            made.remarks.append(Remark("key", key.name, place, "Terraform manages it"))
        elif (workload := workload_of(key.name, mapping, policy)) is not None:
            groups.setdefault(workload, {}).setdefault(place, []).append(key)
        elif is_live(key, account.begun):
            made.off_convention.append(OffConvention(key.name, place, suggestion(key.name)))
    for name, places in sorted(groups.items()):
        declared = policy.workload(name) if policy else None
        live = {place: sorted(_live(keys, account), key=_newest_first) for place, keys in places.items()}
        live = {place: keys for place, keys in live.items() if keys}
        if declared:
            made.remarks += _differences(name, live, account, policy, mapping)
        elif len(live) > 1:
            where = ", ".join(live)
            made.remarks.append(Remark("key", name, where, "keys of this name are in several workspaces: rename some"))
        elif not live:
            made.remarks.append(Remark("key", name, ", ".join(places), "its keys are disabled or expired"))
        else:
            [(place, keys)] = live.items()
            made.workloads.append(_workload(made, name, place, keys, account, policy, mapping, owner))


def _live(keys: Sequence[ApiKey], account: Account) -> list[ApiKey]:
    return [key for key in keys if is_live(key, account.begun)]


def _newest_first(key: ApiKey) -> float:
    return -key.created_at.timestamp()


def _workload(
    made: Proposal,
    name: str,
    place: str,
    keys: list[ApiKey],
    account: Account,
    policy: Policy | None,
    mapping: Mapping[str, str],
    owner: str | None,
) -> NewWorkload:
    current = keys[0]
    taken = Counter(key.name for key in keys)
    if taken[current.name] > 1:
        why = f"{taken[current.name]} live keys bear this name; what is written is of the newest"
        made.remarks.append(Remark("workload", name, place, why))
    elif len({(key.limit, key.limit_reset, key.include_byok_in_limit) for key in keys}) > 1:
        why = "its keys have different limits; what is written is the newest key's"
        made.remarks.append(Remark("workload", name, place, why))
    limit, reset = _cap(made, name, place, current)
    known = policy.slack_user_of(current.creator_user_id) if policy and current.creator_user_id else None
    mapped = (old for old, workload in mapping.items() if workload == name and any(key.name == old for key in keys))
    return NewWorkload(
        name,
        place,
        tuple(keys),
        owner=known or owner or UNFILLED_USER,
        adopts=next((old for old in mapped if old != name), None),
        limit_usd=limit,
        limit_reset=reset,
        include_byok=current.include_byok_in_limit,
        guardrail=_guardrail(made, name, place, current, account),
        expires_in=_life(current),
    )


def _cap(made: Proposal, name: str, place: str, key: ApiKey) -> tuple[float | None, str | None]:
    if key.limit is None:
        return None, None
    if key.limit <= 0 or key.limit_reset not in PERIODS:
        why = f"its limit of {key.limit} USD, reset {key.limit_reset}, cannot be written: a policy's is above 0 USD"
        made.remarks.append(Remark("workload", name, place, why))
        return None, None
    return key.limit, key.limit_reset


def _guardrail(made: Proposal, name: str, place: str, key: ApiKey, account: Account) -> str | None:
    found = account.guardrail_by_id.get(account.guardrail_of_key.get(key.hash, ""))
    if found is None:
        return None
    if found.workspace_id != key.workspace_id:
        why = f"its guardrail {found.name} is filed in another workspace, where a rotation would not find it"
        made.remarks.append(Remark("workload", name, place, why))
        return None
    return account.guardrail_name(found.id)


def _life(key: ApiKey) -> timedelta | None:
    """How long the key lives from its making, in whole days or hours: a key made after it lives no longer."""
    if key.expires_at is None:
        return None
    life = key.expires_at - key.created_at
    unit = timedelta(days=1) if life >= timedelta(days=1) else timedelta(hours=1)
    return max(life // unit, 1) * unit


def _differences(
    name: str, live: Mapping[str, list[ApiKey]], account: Account, policy: Policy | None, mapping: Mapping[str, str]
) -> list[Remark]:
    """What a person wrote of a declared workload and the account does not have. It is told, and never changed."""
    declared = policy.workload(name) if policy else None
    if declared is None:
        return []
    found = [
        Remark("workload", name, place, f"--map {old}={name}: it is declared; write key.adopts: {old} there yourself")
        for old, workload in mapping.items()
        for place, keys in live.items()
        if workload == name and declared.key.adopts != old and any(key.name == old for key in keys)
    ]
    ids = {one.id for one in meant(declared.workspace, account.workspaces)}
    for place, keys in live.items():
        if keys[0].workspace_id not in ids:
            found.append(Remark("workload", name, place, f"declared in {declared.workspace}, and has a key here"))
        elif declared.key.limit_usd is not None and keys[0].limit != declared.key.limit_usd and len(keys) == 1:
            why = f"declared with a limit of {declared.key.limit_usd} USD, and its key has {keys[0].limit}"
            found.append(Remark("workload", name, place, why))
    return found


def _decisions(made: Proposal, account: Account, policy: Policy | None, foreign: Collection[str]) -> None:
    used = {key.workspace_id for key in account.keys if is_live(key, account.begun)}
    for workspace in account.workspaces:
        place = account.workspace_name(workspace.id)
        declared = {
            one.provider for one in (policy.byok if policy else ()) if workspace in meant(one.workspace, [workspace])
        }
        groups: dict[str, list[ByokKey]] = {}
        for one in account.byok:
            if one.workspace_id == workspace.id or (one.workspace_id is None and workspace.id in used):
                groups.setdefault(one.provider, []).append(one)
        for provider, credentials in sorted(groups.items()):
            enabled = [one for one in credentials if not one.disabled]
            if provider in declared:
                continue
            if any(one.id in foreign for one in credentials):
                made.remarks.append(Remark("credential", provider, place, "Terraform manages it"))
            elif not enabled:
                made.remarks.append(Remark("credential", provider, place, "it is disabled"))
            elif not CONVENTION.fullmatch(provider):
                made.remarks.append(Remark("credential", provider, place, "no policy can name this provider"))
            else:
                fallback = sum(one.is_fallback for one in enabled)
                made.decisions.append(NewDecision(place, provider, len(enabled) - fallback, fallback))

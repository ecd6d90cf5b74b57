"""Rules about keys: caps, expiry, owners, names, and who still uses them.

Fields: `GET /keys` of the vendor's OpenAPI document (`limit`, `limit_reset`, `include_byok_in_limit`, `expires_at`,
`last_used_at`, `creator_user_id`, `byok_usage_monthly`); `GET /organization/members`. That `last_used_at` is recorded
since the end of 2025 only, so that null with usage is idle and not never used, is the vendor's word as well.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from account_review.facts import Facts, Place, owner_of, subject_of
from account_review.finding import Found, Rulebook
from governor.policy import Policy
from management_api import ApiKey

IDLE, LONG_IDLE = timedelta(days=30), timedelta(days=90)
KEYS = Rulebook()


def _found(place: Place, key: ApiKey, policy: Policy, evidence: str) -> Found:
    return Found(subject_of(place, key), place.slug, evidence, owner_of(policy, key))


@KEYS.rule("high", "A key has no cap", fix="Set `limit` and `limit_reset` on the key.", needs=("keys",))
def key_without_cap(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if key.limit is None:
            yield _found(place, key, policy, f"no limit; ${key.usage_monthly + key.byok_usage_monthly:,.2f} this month")


@KEYS.rule(
    "medium", "A key never expires", fix="Replace it by a key with `expires_at`; it cannot be set later.",
    needs=("keys",),
)  # fmt: skip
def key_without_expiry(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if key.expires_at is None:
            yield _found(place, key, policy, f"made {key.created_at:%Y-%m-%d}, never expires")


@KEYS.rule(
    "medium", "Nobody owns a key", fix="Declare its workload with an owner, or make it again in a member's name.",
    needs=("keys",),
)  # fmt: skip
def key_without_owner(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if not owner_of(policy, key) and not key.creator_user_id:
            yield _found(place, key, policy, "no creator, and no workload of the policy")


@KEYS.rule(
    "medium", "A key belongs to no workload", fix="Declare the workload in the policy (governor import), or delete it.",
    needs=("keys",),
)  # fmt: skip
def key_without_workload(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if policy.workload(policy.lineage_of(key.name)) is None:
            yield _found(place, key, policy, f"{key.name or 'a key without a name'}: not in the policy")


def _idle_for(key: ApiKey, facts: Facts) -> timedelta:
    return facts.now - (key.last_used_at or key.created_at)


def _idle(key: ApiKey) -> str:
    if key.last_used_at:
        return f"last used {key.last_used_at:%Y-%m-%d}"
    return f"made {key.created_at:%Y-%m-%d}, no use on record"


@KEYS.rule(
    "medium", "A key was not used for 90 days", fix="Disable it; delete it when nobody misses it.", needs=("keys",)
)
def key_idle_90_days(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if _idle_for(key, facts) >= LONG_IDLE:
            yield _found(place, key, policy, _idle(key))


@KEYS.rule("low", "A key was not used for 30 days", fix="Ask its owner whether it is needed.", needs=("keys",))
def key_idle_30_days(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if IDLE <= _idle_for(key, facts) < LONG_IDLE:
            yield _found(place, key, policy, _idle(key))


@KEYS.rule(
    "low", "A key's name is off convention", fix="Rename it, or adopt it: `key.adopts` in the policy.", needs=("keys",)
)
def key_name_off_convention(facts: Facts, policy: Policy) -> Iterator[Found]:
    wanted = re.compile(policy.review.key_name)
    for place, key in facts.live_keys():
        if not wanted.fullmatch(policy.lineage_of(key.name)):
            yield _found(place, key, policy, f"{key.name or 'no name'}: not {policy.review.key_name}")


@KEYS.rule(
    "high", "A key of a member who left", fix="Replace it by a key in another member's name, then delete it.",
    needs=("keys", "members"),
)  # fmt: skip
def key_of_departed_member(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if key.creator_user_id and key.creator_user_id not in facts.members:
            yield _found(place, key, policy, f"{key.creator_user_id} is not a member of the organization")


@KEYS.rule(
    "medium", "Several applications share a key", fix="Give each its own key: one behaviour, one key.",
    needs=("keys", "apps"),
)  # fmt: skip
def key_shared(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        apps = sorted(facts.apps.get(key.name, ()))
        if key.name and len(apps) > 1:
            yield _found(place, key, policy, f"{len(apps)} applications in 28 days: {', '.join(apps[:5])}")


@KEYS.rule(
    "medium", "Two live keys have one name", fix="Rename one: analytics and Broadcast know keys by name only.",
    needs=("keys",),
)  # fmt: skip
def key_name_twice(facts: Facts, policy: Policy) -> Iterator[Found]:
    named = Counter(key.name for _, key in facts.live_keys() if key.name)
    told: set[str] = set()
    for place, key in facts.live_keys():
        if named[key.name] > 1 and key.name not in told:
            told.add(key.name)
            yield _found(place, key, policy, f"{named[key.name]} live keys are named {key.name}")


@KEYS.rule("medium", "A key's cap does not count BYOK", fix="Set `include_byok_in_limit` on the key.", needs=("keys",))
def key_cap_without_byok(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, key in facts.live_keys():
        if key.limit is not None and not key.include_byok_in_limit and key.byok_usage_monthly > 0:
            yield _found(place, key, policy, f"${key.byok_usage_monthly:,.2f} of BYOK this month, not in its limit")


@KEYS.rule(
    "medium", "A workload has no live key", fix="Rotate it (governor rotate), or take it out of the policy.",
    needs=("keys",),
)  # fmt: skip
def workload_without_key(facts: Facts, policy: Policy) -> Iterator[Found]:
    live = {(place.slug, policy.lineage_of(key.name)) for place, key in facts.live_keys()}
    for workload in policy.workloads:
        if (workload.workspace, workload.name) not in live:
            subject = f"{workload.workspace}/{workload.name}"
            yield Found(subject, workload.workspace, "declared, and no key of it can serve", workload.owner.slack)

"""Rules about credentials, where prompts go, and the account: BYOK, destinations, logging, credits, the management key.

Fields: `BYOKKey`, `ObservabilityDestination` (`privacy_mode`), `Workspace` (`is_observability_io_logging_enabled`,
`io_logging_sampling_rate`, `is_data_discount_logging_enabled`) and `GET /credits` of the vendor's OpenAPI document.
No API tells whether credits are bought by themselves, nor what a management key may do: the policy declares both.
"""

from collections.abc import Iterator
from datetime import timedelta

from account_review.facts import Facts
from account_review.finding import ACCOUNT, Found, Rulebook
from governor.policy import Policy

CREDITS_FOR = timedelta(days=14)
"""Credits that last less than this at the month's pace are a finding: a purchase order takes days."""
THINGS = Rulebook()


@THINGS.rule(
    "medium", "A BYOK credential without a decision",
    fix="Declare it in the policy (`byok`) with reason, owner and exit.",
    needs=("byok",),
)  # fmt: skip
def byok_without_decision(facts: Facts, policy: Policy) -> Iterator[Found]:
    decided = {(one.workspace, one.provider) for one in policy.byok}
    seen: set[str] = set()
    for place in facts.places:
        for one in place.byok:
            if one.id in seen or one.disabled:
                continue
            seen.add(one.id)
            if one.workspace_id is None:
                known = any(provider == one.provider for _, provider in decided)
                if not known:
                    yield Found(f"{ACCOUNT}/{one.provider}", ACCOUNT, f"{one.name or one.label}, in every workspace")
            elif (place.slug, one.provider) not in decided:
                yield Found(f"{place.slug}/{one.provider}", place.slug, f"{one.name or one.label}: not in the policy")


@THINGS.rule(
    "high", "A destination gets whole prompts", fix="Switch privacy mode on, or the destination off.",
    needs=("destinations",),
)  # fmt: skip
def destination_gets_prompts(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place in facts.places:
        for one in place.destinations:
            if one.enabled and not one.privacy_mode:
                what = f"{one.type}, {one.sampling_rate:.0%} of requests, without privacy mode"
                yield Found(f"{place.slug}/{one.name or one.type}", place.slug, what)


@THINGS.rule(
    "medium", "Prompts are logged", fix="Switch input and output logging off, or lower its sampling.", needs=()
)
def prompts_logged(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place in facts.places:
        workspace = place.workspace
        if workspace.is_observability_io_logging_enabled:
            rate = 1.0 if workspace.io_logging_sampling_rate is None else workspace.io_logging_sampling_rate
            yield Found(place.slug, place.slug, f"{rate:.2%} of requests are stored with their prompts")


@THINGS.rule(
    "medium", "Prompts are given for a discount", fix="Switch data discount logging off in the workspace.", needs=()
)
def discount_logging_on(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place in facts.places:
        if place.workspace.is_data_discount_logging_enabled:
            yield Found(
                place.slug, place.slug, "is_data_discount_logging_enabled: OpenRouter may use inputs and outputs"
            )


@THINGS.rule(
    "medium", "A preset that anybody may edit", fix="Declare it in the policy (`presets`), so that edits are approved.",
    needs=("presets",),
)  # fmt: skip
def preset_undeclared(facts: Facts, policy: Policy) -> Iterator[Found]:
    declared = {(one.to_workspace, one.slug) for one in policy.presets}
    declared |= {(one.from_workspace, one.slug) for one in policy.presets}
    for place in facts.places:
        for one in place.presets:
            if one.status == "active" and (place.slug, one.slug) not in declared:
                yield Found(f"{place.slug}/{one.slug}", place.slug, "any member's edit is live at once")


@THINGS.rule("high", "Credits will run out", fix="Buy credits, or lower budgets.", needs=("credits", "activity"))
def credits_low(facts: Facts, policy: Policy) -> Iterator[Found]:
    if facts.credits is None:
        return
    left = facts.credits.total_credits - facts.credits.total_usage
    days = len({row.date for row in facts.activity})
    a_day = sum(row.usage for row in facts.activity) / days if days else 0.0
    if left <= 0 or (a_day > 0 and left / a_day < CREDITS_FOR.days):
        until = f"{max(left, 0) / a_day:.0f} days at ${a_day:,.2f} a day" if a_day else "nothing is left"
        yield Found(ACCOUNT, ACCOUNT, f"${left:,.2f} left: {until}")


@THINGS.rule(
    "low", "Whether credits are bought by themselves is not declared",
    fix="Look in Settings, Credits, and write `review.declared.auto_top_up` into the policy.", needs=(),
)  # fmt: skip
def auto_top_up_unknown(facts: Facts, policy: Policy) -> Iterator[Found]:
    if policy.review.declared.auto_top_up is None:
        yield Found(ACCOUNT, ACCOUNT, "no API tells it: without it, an empty balance stops everything")


@THINGS.rule(
    "low", "What the management key may do is not declared",
    fix="Look in Settings, Management keys, and write `review.declared.management_key_scope` into the policy.",
    needs=(),
)  # fmt: skip
def management_key_scope_unknown(facts: Facts, policy: Policy) -> Iterator[Found]:
    if policy.review.declared.management_key_scope is None:
        yield Found(ACCOUNT, ACCOUNT, "no API tells it: a key of one workspace sees nothing of the others")


@THINGS.rule(
    "high", "The management key is old", fix="Make a new one and put it into the secret; then delete the old one.",
    needs=("management_key",),
)  # fmt: skip
def management_key_old(facts: Facts, policy: Policy) -> Iterator[Found]:
    key = facts.management_key
    if key and facts.now - key.since >= policy.account.management_key.max_age:
        age, most = (facts.now - key.since).days, policy.account.management_key.max_age.days
        yield Found(ACCOUNT, ACCOUNT, f"in use since {key.since:%Y-%m-%d}, {age} days; the policy wants {most} at most")


@THINGS.rule(
    "medium", "The management key never expires", fix="Make one with an expiry, and put it into the secret.",
    needs=("management_key",),
)  # fmt: skip
def management_key_without_expiry(facts: Facts, policy: Policy) -> Iterator[Found]:
    if facts.management_key and facts.management_key.expires_at is None:
        yield Found(ACCOUNT, ACCOUNT, "it can read and disable every key, for ever")

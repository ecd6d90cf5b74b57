"""What a bulk order would rotate, in which order, what it leaves out, and who may ask for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approval_desk.bulk import Pace, Preview, order_of, preview, refusal, selected
from governor.events.evidence import Cause
from governor.keys.bulk_order import MOST, Frozen, Scope
from governor.keys.causes import CauseRow, Causes
from governor.keys.lineage import Asked, Lineage, LineageKey, Rotation
from governor.policy import Policy

NOW = datetime(2026, 3, 11, 2, 44, tzinfo=UTC)
LEAD, SEC, CISO, OWNER = "U0LEAD", "U0SEC", "U0CISO", "U0OWNER"
NAMES = ("prod-zero", "prod-one", "prod-two", "prod-leaked")
TIERS = dict(zip(NAMES, (0, 1, 2, 3), strict=True))


def policy(**more: Any) -> Policy:
    workloads = [
        {
            "name": name, "workspace": "production", "owner": {"slack": OWNER}, "tier": tier,
            "secret": f"openrouter/{name}", **more.get(name, {}),
        }
        for name, tier in reversed(TIERS.items())
    ]  # fmt: skip
    workloads.append({"name": "stage-one", "workspace": "staging", "owner": {"slack": "U0OTHER"}})
    rest = {name: value for name, value in more.items() if name not in NAMES}
    approvals = {"channel": "C0GOVERNOR", "approvers": [LEAD, SEC, CISO]}
    return Policy.model_validate({"version": 1, "workloads": workloads, "approvals": approvals, **rest})


def lineages(**more: Lineage) -> dict[str, Lineage]:
    made = {name: Lineage(name, (LineageKey(name * 8, name, "current", NOW, token=f"t-{name}"),)) for name in NAMES}
    return made | {one.workload: one for one in more.values()}


def held(name: str, cause: Cause) -> Causes:
    return Causes({cause: CauseRow(name, cause, "disabled", "t", (name * 8,), NOW)})


def seen(
    rules: Policy | None = None,
    causes: dict[str, Causes] | None = None,
    scope: Scope = "workspace",
    of: str = "production",
    rows: dict[str, Lineage] | None = None,
) -> Preview:
    rules = rules or policy()
    all_causes = {one.name: Causes() for one in rules.workloads} | (causes or {})
    return preview(rules, selected(rules, scope, of), rows or lineages(), all_causes, Pace(20.0, 4.0), NOW)


def names(found: Preview) -> list[str]:
    return [one.workload for one in found.lineages]


def test_what_leaked_goes_first_then_the_tiers_in_turn_and_the_present_key_is_frozen() -> None:
    found = seen(causes={"prod-leaked": held("prod-leaked", "exposed")})
    assert names(found) == ["prod-leaked", "prod-zero", "prod-one", "prod-two"]
    assert found.lineages[0] == Frozen("prod-leaked", ("prod-leaked" * 8)[:16])
    assert found.exposed == 1


@pytest.mark.parametrize(
    ("scope", "of", "chosen"),
    [("workspace", "staging", []), ("owner", OWNER, [*NAMES]), ("all", "", [*NAMES]), ("workspace", "nowhere", [])],
)
def test_a_scope_is_a_workspace_an_owner_or_all_and_a_workload_without_a_secret_is_named(
    scope: Scope, of: str, chosen: list[str]
) -> None:
    found = seen(scope=scope, of=of)
    assert names(found) == chosen
    assert found.left["no_secret"] == (("stage-one",) if of == "staging" or scope == "all" else ())


@pytest.mark.parametrize("cause", ["runaway", "budget", "operator"])
def test_what_another_cause_than_a_leak_holds_is_left_out_for_a_new_key_would_spend_again(cause: Cause) -> None:
    found = seen(causes={"prod-one": held("prod-one", cause)})
    assert "prod-one" not in names(found)
    assert found.left["held"] == ("prod-one",)
    assert any("prod-one" in line and "restore" in line for line in found.shown)


def test_what_is_being_rotated_is_left_out_unless_that_was_given_up() -> None:
    one = lineages()["prod-one"]
    for busy in (
        replace(one, rotation=Rotation("t", "due", NOW - timedelta(hours=1))),
        replace(one, asked=Asked("asked", "e", NOW - timedelta(hours=1))),
    ):
        assert seen(rows=lineages(one=busy)).left["under_way"] == ("prod-one",)
    given_up = replace(one, rotation=Rotation("t", "due", NOW - timedelta(days=2)))
    assert "prod-one" in names(seen(rows=lineages(one=given_up)))


def test_the_preview_says_how_many_how_long_and_what_may_break() -> None:
    one, two = lineages()["prod-one"], lineages()["prod-two"]
    draining = replace(one, keys=(*one.keys, LineageKey("c" * 64, "old", "overlap", NOW)))
    by_hand = replace(two, keys=(replace(two.keys[0], token=""),))
    freeze = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "reason": "launch"}
    rules = policy(
        rotations={"freezes": [freeze], "at_once": 7},
        **{"prod-zero": {"key": {"federated": True}}, "prod-leaked": {"key": {"limit_usd": 5}}},
    )
    found = seen(rules, rows=lineages(one=draining, two=by_hand))
    assert found.seconds == 4.0 + 4 * 7 / 20.0
    text = "\n".join(found.shown)
    assert "4 keys are replaced, by tier, tier 0 first, at most 7 at once." in text
    assert "at least 1 min" in text
    assert "No consumer has picked up a new key from the secret yet: prod-one, prod-two." in text
    assert "still in overlap and could not be given back afterwards: prod-one." in text
    assert "federation policy acts as the key and has to be moved by hand: prod-zero." in text
    assert "gives a new key only what is left of it: prod-leaked." in text
    assert "freeze, which holds for planned rotations only: launch." in text


def test_a_line_names_a_few_and_counts_the_rest() -> None:
    many = tuple(Lineage(f"prod-{n}") for n in range(40))
    rules = policy(
        workloads=[
            {"name": one.workload, "workspace": "production", "owner": {"slack": OWNER}, "secret": f"o/{one.workload}"}
            for one in many
        ]
    )
    text = "\n".join(seen(rules, rows={one.workload: one for one in many}).shown)
    assert "prod-0, prod-1, prod-10, prod-11, prod-12 and 35 more" in text


@pytest.mark.parametrize("by", [LEAD, OWNER, "U0OTHER"])
def test_approvers_and_owners_may_ask(by: str) -> None:
    assert refusal(policy(), "workspace", "production", by, seen()) is None


def test_anybody_else_may_not_nor_is_anything_asked_that_two_others_could_not_approve() -> None:
    assert _rule("U0ANYBODY") == "not_theirs"
    two = policy(approvals={"channel": "C0GOVERNOR", "approvers": [LEAD, SEC]})
    assert _rule(LEAD, two) == "not_enough_approvers"
    assert _rule(OWNER, two) == ""
    assert _rule(OWNER, policy(approvals=None)) == "no_approvers"


def test_nothing_is_asked_about_nothing_or_about_more_than_a_row_holds() -> None:
    found = refusal(policy(), "workspace", "produktion", LEAD, None)
    assert found
    assert found.rule == "unknown"
    assert "Did you mean `production`?" in found.why
    none = refusal(policy(), "workspace", "staging", LEAD, seen(of="staging"))
    assert none
    assert none.rule == "nothing"
    assert "stage-one" in none.why
    many = replace(seen(), lineages=tuple(Frozen(f"w{n}") for n in range(MOST + 1)))
    over = refusal(policy(), "all", "", LEAD, many)
    assert over
    assert over.rule == "too_many"


def test_what_is_frozen_has_another_digest_when_anything_of_it_is_another() -> None:
    order = order_of("id", "workspace", "production", "leaked", seen())
    first, *others = order.lineages
    variants = (
        order,
        replace(order, id="other"),
        replace(order, scope="all"),
        replace(order, of="staging"),
        replace(order, because="x"),
        replace(order, lineages=tuple(others)),
        replace(order, lineages=(replace(first, key="0"), *others)),
        replace(order, lineages=order.lineages[::-1]),
    )
    assert len({one.digest for one in variants}) == len(variants)


def _rule(by: str, rules: Policy | None = None) -> str:
    found = refusal(rules or policy(), "workspace", "production", by, seen())
    return found.rule if found else ""

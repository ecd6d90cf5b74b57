"""Caps that are proposed: none would have refused what was spent, and none is higher than its margin explains."""

from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.caps import PERIODS, Period, Spend, propose
from cli.replay.asking import Asking
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import NOW, Terminal
from tools.policy import compile_policy

DAY = 86_400.0
TODAY = date(2026, 11, 18)


def _spend(usd: list[float], *, byok: bool = False, days: int = 28) -> Spend:
    """`usd`: by day, today last."""
    by_day = {TODAY - timedelta(days=number): one for number, one in enumerate(reversed(usd))}
    since = TODAY - timedelta(days=days)
    return Spend({} if byok else by_day, by_day if byok else {}, since, TODAY)


def test_a_daily_cap_is_half_as_much_again_as_the_worst_day() -> None:
    cap = propose(_spend([1.0] * 20 + [20.0] + [1.0] * 8), period="daily")
    assert cap
    assert (cap.limit_usd, cap.most_usd) == (30.0, 20.0)


def test_a_weekly_cap_is_held_against_any_seven_days() -> None:
    cap = propose(_spend([0.0] * 20 + [10.0] * 7 + [0.0, 0.0]), period="weekly", margin=0.0)
    assert cap
    assert (cap.limit_usd, cap.most_usd) == (70.0, 70.0)


def test_a_monthly_cap_reckons_with_thirty_one_days() -> None:
    cap = propose(_spend([10.0] * 28 + [0.0]), period="monthly", margin=0.0)
    assert cap
    assert cap.most_usd == pytest.approx(310.0)


def test_a_key_that_spent_nothing_may_spend_a_dollar_and_a_young_one_is_left_alone() -> None:
    cap = propose(_spend([]), period="daily")
    assert cap
    assert cap.limit_usd == 1.0
    assert propose(_spend([5.0], days=6), period="daily") is None


def test_spend_on_own_provider_keys_makes_the_cap_count_it() -> None:
    cap = propose(_spend([4.0], byok=True), period="daily", margin=0.0)
    assert cap
    assert (cap.limit_usd, cap.include_byok) == (4.0, True)
    cap = propose(_spend([4.0]), period="daily", margin=0.0)
    assert cap
    assert not cap.include_byok


@given(
    st.lists(st.floats(0, 1e6), max_size=29), st.floats(0, 3), st.sampled_from(PERIODS), st.integers(0, 6)
)  # fmt: skip
def test_no_cap_would_have_refused_anything(usd: list[float], margin: float, period: Period, shift: int) -> None:
    cap = propose(_spend(usd), period=period, margin=margin)
    assert cap
    days = {TODAY - timedelta(days=number): one for number, one in enumerate(reversed(usd))}
    start = {
        "daily": lambda day: day,
        "weekly": lambda day: day - timedelta(days=(day.weekday() + shift) % 7),
        "monthly": lambda day: day.replace(day=1),
    }[period]
    sums: dict[date, float] = {}
    for day, one in days.items():
        sums[start(day)] = sums.get(start(day), 0.0) + one
    assert cap.limit_usd >= max(sums.values(), default=0.0) * (1 - 1e-9)
    assert cap.limit_usd <= max(1.0, cap.most_usd * (1 + margin)) * 1.11, "no more than rounding to two digits adds"


# Through the command


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    organization = simulator.organization
    organization.create_workspace("Prod", "prod")
    for name, fields in {
        "prod-a-free": {},
        "prod-a-capped": {"limit": 7.0, "limit_reset": "daily"},
        "prod-a-idle": {},
        "prod-a-guarded": {},
    }.items():
        key, _ = simulator.create_key(name, workspace="prod", **fields)
        key.created_at = NOW - 60 * DAY
    simulator.create_key("prod-a-young", workspace="prod")
    guardrail = organization.create_guardrail("g", "prod", limit_usd=50.0, reset_interval="monthly")
    organization.assign(guardrail, [_hash(simulator, "prod-a-guarded")])
    for days in range(40):
        simulator.spend(_hash(simulator, "prod-a-free"), 2.0 if days != 10 else 8.0, at=NOW - days * DAY)
    simulator.spend(_hash(simulator, "prod-a-free"), 900.0, at=NOW - 35 * DAY)
    return simulator


def _hash(simulator: Simulator, name: str) -> str:
    return next(key.hash for key in simulator.organization.keys if key.name == name)


def _caps(policy: Path) -> dict[str, tuple[Any, Any]]:
    return {one.name: (one.key.limit_usd, one.key.limit_reset) for one in compile_policy(policy).workloads}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def test_caps_are_written_for_what_has_none(terminal: Terminal, policy: Path) -> None:
    ran = terminal.run("import", policy, "--propose-caps", "--json")
    assert ran.code == 0
    assert _caps(policy) == {
        "prod-a-free": (12.0, "daily"),
        "prod-a-capped": (7.0, "daily"),
        "prod-a-idle": (1.0, "daily"),
        "prod-a-guarded": (None, None),
        "prod-a-young": (None, None),
    }
    assert "# proposed: a day brought $8.00 at the most" in policy.read_text()
    told = {one["workload"]: one for one in ran.json["caps"]}
    assert told["prod-a-free"]["most_usd"] == 8.0
    assert told["prod-a-young"]["why"] == "it is known for 0 days; 7 are needed"
    text = policy.read_text()
    again = terminal.run("import", policy, "--propose-caps", "--json")
    assert (again.json["written"], policy.read_text()) == (False, text)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("", "    key: {limit_usd: 12, limit_reset: daily}"),
        ("    key: {}  # mine\n", "    key: {limit_usd: 12, limit_reset: daily}  # mine"),
        ("    key: {guardrail: g}\n", "    key: {guardrail: g, limit_usd: 12, limit_reset: daily}"),
        ("    key:\n      # mine\n      guardrail: g  # ours\n", "      limit_usd: 12"),
        ("    key: {limit_reset: weekly}\n", "    key: {limit_reset: weekly}"),
        ("    key: {limit_usd: 3}\n", "    key: {limit_usd: 3}"),
    ],
)
def test_a_declared_workload_gets_a_cap_beside_what_a_person_wrote(
    terminal: Terminal, policy: Path, key: str, line: str
) -> None:
    before = f"version: 1\nworkloads:\n  - name: prod-a-free\n    workspace: prod\n    owner: {{slack: U0A}}\n{key}"
    policy.write_text(before)
    assert terminal.run("import", policy, "--propose-caps").code == 0
    text = policy.read_text()
    assert line in text.splitlines()
    assert all(part in text for part in before.splitlines() if not part.endswith(("}", "mine")))


def test_period_and_margin_are_options(terminal: Terminal, policy: Path) -> None:
    terminal.run("import", policy, "--propose-caps", "--cap-period", "weekly", "--cap-margin", "0")
    assert _caps(policy)["prod-a-free"] == (20.0, "weekly")
    assert terminal.run("import", policy, "--propose-caps", "--cap-period", "yearly").code == 2


def test_keys_of_one_name_are_asked_about_apart(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    second, _ = simulator.create_key("prod-a-free", workspace="prod")
    simulator.spend(second.hash, 4.0, at=NOW - 10 * DAY)
    ran = terminal.run("import", policy, "--propose-caps", "--json")
    assert ran.code == 0
    assert _caps(policy)["prod-a-free"] == (18.0, "daily"), "the worst day of both together: 8 and 4 dollars"


def test_a_key_with_a_credential_in_its_name_is_told_by_its_hash(
    terminal: Terminal, simulator: Simulator, policy: Path
) -> None:
    pasted, _ = simulator.create_key("key sk-or-v1-" + "0123456789abcdef" * 2, workspace="prod")
    pasted.created_at = NOW - 60 * DAY
    simulator.spend(pasted.hash, 4.0, at=NOW - DAY)
    ran = terminal.run("import", policy, "--propose-caps", "--map", "key [redacted]=prod-a-pasted", "--json")
    assert ran.code == 0
    assert _caps(policy)["prod-a-pasted"] == (6.0, "daily")
    assert "0123456789abcdef" not in ran.stdout + policy.read_text()


def test_spend_that_could_not_be_read_is_no_spend_of_nothing(
    terminal: Terminal, simulator: Simulator, policy: Path
) -> None:
    simulator.fault("/analytics/query", "fail_before", status=400, times=9)
    ran = terminal.run("import", policy, "--propose-caps", "--json")
    assert ran.code == 1
    assert _caps(policy)["prod-a-idle"] == (None, None)
    assert ran.json["gaps"]
    assert {one["why"] for one in ran.json["caps"]} == {"what it spent could not be read"}


def test_an_answer_that_is_cut_off_is_asked_for_in_parts(
    terminal: Terminal, simulator: Simulator, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.session.Asking", partial(Asking, rows=3))
    simulator.spend(_hash(simulator, "prod-a-idle"), 3.0, at=NOW - DAY)
    assert terminal.run("import", policy, "--propose-caps").code == 0
    assert _caps(policy)["prod-a-free"] == (12.0, "daily")
    assert _caps(policy)["prod-a-idle"] == (4.5, "daily")

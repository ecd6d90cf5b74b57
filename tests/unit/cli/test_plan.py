"""`governor plan` in a terminal."""

import re
from pathlib import Path

import pytest

from cli.output import ExitCode
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import NOW, Terminal, Unreachable

DAY = 86_400.0
POLICY = """
version: 1
defaults:
  budget: {alert_at: [0.5, 0.8, 1.0], disable_at: null}
  runaway: {mode: alert}
workloads:
  - name: prod-search
    workspace: production
    owner: {slack: U0SEARCH}
    runaway: {mode: disable}
    key: {limit_usd: 500, limit_reset: weekly}
"""
ODD = "Ana's <script>alert(1)</script> \x1b[31m"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def terminal(simulator: Simulator) -> Terminal:
    """Forty days of a dollar an hour, a loop in the night before yesterday, and one of a key without a habit today."""
    simulator.clock.set(NOW - 90 * DAY)
    simulator.declare(
        {
            "credits": 100_000,
            "workspaces": [{"name": "Production", "slug": "production"}],
            "keys": [{"name": "prod-search", "workspace": "production"}, {"name": "dev-bot"}, {"name": ODD}],
        }
    )
    hashes = {key.name: key.hash for key in simulator.organization.keys}
    first = NOW // DAY * DAY - 40 * DAY
    for hour in range(40 * 24 + 11):
        at = first + hour * 3600
        if 8 <= hour % 24 < 18:
            simulator.spend(hashes["prod-search"], 1.0, at=at + 400)
        simulator.spend(hashes["dev-bot"], 0.05, at=at + 500)
    for minute in range(90):
        simulator.spend(hashes["prod-search"], 10.0, at=NOW // DAY * DAY - DAY + 2 * 3600 + minute * 60)
    for minute in range(90):
        simulator.spend(hashes[ODD], 9.0, at=NOW // DAY * DAY + 5 * 3600 + minute * 60)
    simulator.clock.set(NOW)
    return Terminal(simulator)


def test_it_says_what_the_policy_would_do_now_and_would_have_done(terminal, policy, cache):
    ran = terminal.run("plan", policy, "--days", 1, "--cache", cache)

    assert ran.code == ExitCode.FINDINGS
    for part in ("NOW: ", "THE PAST: 2026-11-17 00:00 to 2026-11-18 11:00 UTC", "False-alarm", "disabled (habit)"):
        assert part in ran.stdout
    assert all(len(line) <= 80 for line in ran.stdout.splitlines() if "│" in line or "─" in line)
    assert "\x1b" not in ran.stdout


def test_the_same_as_json(terminal, policy, cache):
    document = terminal.run("plan", policy, "--days", 1, "--cache", cache, "--json").json

    (stop,) = [one for one in document["past"]["decisions"] if one["name"] == "prod-search"]
    assert (stop["rule"], stop["why"], stop["cause"]) == ("disable", "habit", "runaway")
    assert 20 <= stop["lost_usd"] < 60
    assert stop["lost_usd"] + stop["after_usd"] == pytest.approx(900, abs=2)
    assert document["past"]["analytics"]["hours_known_by_hour"] == 0
    assert document["past"]["totals"]["disables"] == 1
    events = [one["type"] for one in document["past"]["events"] if one["subject"] == "prod-search"]
    assert events.index("Runaway Confirmed") < events.index("Key Disabled")


def test_one_knob_stands_beside_it(terminal, policy, cache):
    ran = terminal.run("plan", policy, "--days", 1, "--cache", cache, "--what-if", "tier=0")

    assert "WHAT IF tier=0" in ran.stdout
    assert re.search(r"disables +1 +0\n", ran.stdout)
    assert "only with it: 11-17 02:0" in ran.stdout


def test_a_second_run_asks_only_for_today(terminal, policy, cache):
    first = terminal.run("plan", policy, "--days", 1, "--cache", cache, "--json").json
    second = terminal.run("plan", policy, "--days", 1, "--cache", cache, "--json").json

    assert second["past"]["decisions"] == first["past"]["decisions"]
    assert second["past"]["analytics"]["queries"] < first["past"]["analytics"]["queries"]


def test_without_a_cache_nothing_is_kept(terminal, policy, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))

    terminal.run("plan", policy, "--days", 1, "--no-cache")

    assert not (tmp_path / "xdg").exists()


def test_the_present_alone_asks_for_no_history(terminal, policy):
    ran = terminal.run("plan", policy, "--now", "--json")

    assert ran.json["past"] is None
    assert not terminal.simulator.organization.analytics_asked


def test_the_page_is_one_file_without_scripts_that_names_cannot_break(terminal, policy, cache, tmp_path):
    path = tmp_path / "plan.html"

    terminal.run("plan", policy, "--days", 1, "--cache", cache, "--html", path)

    text = path.read_text("utf-8")
    tags = re.findall(r"<([a-z]+)[ >]", text)
    assert tags.count("svg") == 3, "each affected key, and the minutes around a decision"
    assert "script" not in tags
    assert "\x1b" not in text
    assert not re.search(r'(src|href)="(?!#)', text.replace('xlink:href="#', "")), "nothing is loaded"
    assert all(f"var(--{name})" in text for name in ("ink", "grid", "spend", "suspected", "stop"))
    assert not re.search(r"#0[1-6]0[1-6]0[1-6]\b", text), "each colour is the page's"
    assert "prefers-color-scheme: dark" in text


def test_the_page_is_the_same_for_the_same_past(terminal, policy, cache, tmp_path):
    for name in ("a.html", "b.html"):
        terminal.run("plan", policy, "--days", 1, "--cache", cache, "--html", tmp_path / name)

    assert (tmp_path / "a.html").read_text() == (tmp_path / "b.html").read_text()


def test_a_policy_that_does_not_pass_the_check_is_refused_with_its_line(terminal, policy):
    policy.write_text(POLICY.replace("tier", "teir").replace("workspace: production", "workspce: production"))

    ran = terminal.run("plan", policy)

    assert ran.code == ExitCode.USAGE
    assert "policy.yaml:8" in ran.stderr


def test_an_unknown_knob_is_refused_before_anything_is_asked(terminal, policy):
    ran = terminal.run("plan", policy, "--what-if", "teir=0")

    assert ran.code == ExitCode.USAGE
    assert "Did you mean tier?" in ran.stderr
    assert not terminal.simulator.requests


def test_without_a_network_it_says_so(terminal, policy):
    ran = terminal.run("plan", policy, transport=Unreachable())

    assert ran.code == ExitCode.FAR_SIDE
    assert "could not be reached" in ran.stderr


def test_analytics_that_cannot_be_used_is_named(terminal, policy, cache):
    terminal.simulator.on_answer = lambda path, answer: (
        {"data": {"data": [{"odd": 1}], "metadata": {"truncated": False}}} if "analytics" in path else answer
    )

    ran = terminal.run("plan", policy, "--cache", cache)

    assert ran.code == ExitCode.FAR_SIDE
    assert "--now" in ran.stderr
    assert not list(cache.rglob("*.json")), "nothing of it is kept"


def test_an_interrupt_leaves_the_page_that_was_there(terminal, policy, cache, tmp_path, monkeypatch):
    path = tmp_path / "plan.html"
    path.write_text("as it was")

    def interrupted(*arguments: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.replay.page.page", interrupted)

    ran = terminal.run("plan", policy, "--days", 1, "--cache", cache, "--html", path)

    assert ran.code == ExitCode.INTERRUPTED
    assert path.read_text() == "as it was"


def test_the_present_alone_has_no_past_to_draw_or_to_change(terminal, policy, tmp_path):
    assert terminal.run("plan", policy, "--now", "--html", tmp_path / "plan.html").code == ExitCode.USAGE
    assert terminal.run("plan", policy, "--now", "--what-if", "tier=0").code == ExitCode.USAGE


def test_a_past_that_is_not_whole_is_said_to_be(terminal, policy, cache):
    """Analytics lacks what the counters show: it is late, or was pruned."""
    whole = terminal.run("plan", policy, "--days", 1, "--cache", cache)
    for day in terminal.simulator.organization.analytics.days():
        if day % 2:
            terminal.simulator.organization.analytics._hours[day].clear()
    holed = terminal.run("plan", policy, "--days", 1, "--no-cache")

    assert "the plan is too low" in holed.stdout
    assert "the plan is too low" not in whole.stdout


def test_budgets_that_the_plan_of_the_account_does_not_have_are_said_and_are_no_finding(terminal, policy, cache):
    policy.write_text("version: 1\n")
    for key in list(terminal.simulator.organization.keys):
        if key.name == ODD:
            terminal.simulator.organization.delete_key(key.hash)
    for place in terminal.simulator.organization.workspaces.values():
        terminal.simulator.fault(f"/workspaces/{place.id}/budgets", "fail_before", status=403, times=99)

    ran = terminal.run("plan", policy, "--now")

    assert ran.code == ExitCode.OK
    assert "budgets of workspace" in ran.stdout

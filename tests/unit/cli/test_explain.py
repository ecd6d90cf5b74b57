"""`explain` says why a key is disabled, who decided it and how they are known, with the rule's own words; and what it
could not read.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from cli.beside import TooSlow, beside
from cli.rulebook import CAUSES, DECISIONS, SECTIONS, has_section, said
from cli.session import KEY_VARIABLE
from governor.approvals.approval import Request, Vote
from governor.approvals.store import Approvals
from governor.events import REQUESTS, DetailType, Event, event_id
from governor.events.published import RecordedBus
from governor.events.publishers import OF_DECISIONS
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import Lineage, LineageKey, Lineages
from governor.ledger import Put
from governor.ledger.dynamodb import DynamoLedger
from management_api import KeyPatch, OpenRouter
from sandbox.openrouter import Simulator
from tests.doubles.bus import Bus
from tests.unit.cli.stack import REGION, StackDouble, stack_double
from tests.unit.cli.terminal import MANAGEMENT, NOW, InProcess, Unreachable

AT = datetime.fromtimestamp(NOW, UTC) - timedelta(hours=2)
SEARCH = "prod-search-agent"
POLICY = f"""
version: 1
workloads:
  - {{name: {SEARCH}, workspace: default, owner: {{slack: U0SEARCH}}, tier: 0, runaway: {{mode: disable}}}}
  - {{name: prod-mail-agent, workspace: default, owner: {{slack: U0MAIL}}}}
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD]}}
"""


class Case:
    """A workload with one key, in the ledger and at OpenRouter, and whatever a test plants."""

    def __init__(self, stack: StackDouble, folder: Path) -> None:
        self.stack = stack
        self.simulator = Simulator(MANAGEMENT, clock=lambda: NOW)
        self.transport = InProcess(self.simulator.app)
        key, _ = self.simulator.create_key(SEARCH, limit=200.0, limit_reset="monthly")
        self.hash = key.hash
        self.policy = folder / "policy.yaml"
        self.policy.write_text(POLICY)

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.stack.ledger, DynamoLedger(boto3.client("dynamodb", REGION), "decisions"))

    def publishes(self, function: str, kind: DetailType, reason: str, minutes: int = 0, **evidence: Any) -> str:
        """Stored as the function stores it; the event's id."""
        event = Event(kind, event_id(kind, reason), SEARCH, AT + timedelta(minutes=minutes), reason, evidence)
        RecordedBus(function, self.stack.ledger, Bus()).publish([event])
        return event.id

    def disables(self, cause: Any, trigger: str) -> None:
        row = CauseRow(SEARCH, cause, "disabled", trigger, (self.hash,), AT)
        CauseStore(self.stack.ledger).write(row)
        client = OpenRouter(SecretStr(MANAGEMENT), base_url="http://localhost:1/api/v1", transport=self.transport)
        client.keys.update(self.hash, KeyPatch(disabled=True))

    def explains(self, word: str = SEARCH, *more: str, key: str = MANAGEMENT, **outside: Any) -> Any:
        given = {"environment": {KEY_VARIABLE: key}, "transport": self.transport, **outside}
        return self.stack.run("explain", word, "--policy", str(self.policy), *more, **given)


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setattr("cli.history.SECONDS", 60)
    with stack_double() as stack:
        yield Case(stack, tmp_path)


def test_a_runaway_is_explained_from_the_disable_to_the_detectors_rule(known: Case) -> None:
    confirmed = known.publishes("spend_meter", DetailType.RUNAWAY_CONFIRMED, "It burns.", rule="hours", name=SEARCH)
    disabled = known.publishes(
        "kill_switch", DetailType.KEY_DISABLED, "A loop of $500 an hour.", 1, rule="disable", cause="runaway",
        trigger=confirmed,
    )  # fmt: skip
    known.disables("runaway", confirmed)
    for word in (SEARCH, known.hash, confirmed, disabled):
        ran = known.explains(word, "--json")
        assert (ran.code, ran.json["subject"]) == (0, SEARCH), ran.stderr
        assert ran.json["verdict"][0].startswith(f"{SEARCH} is held disabled by the cause `runaway` since 2026-11-18")
        assert [one["id"] for one in ran.json["because"]] == [disabled, confirmed]
        assert ran.json["because"][1]["document"]["text"].startswith(
            "Confirmed when a window's spend is beyond six times what"
        )
        assert f"the key {known.hash[:12]} ({SEARCH}) is disabled; $200.00 of its $200.00" in ran.json["verdict"][1]
    ran = known.explains()
    for words in ("A loop of $500 an hour.", "(rule hours)", 'See docs/detection.md, "What confirms".', "tier 0"):
        assert words in ran.stdout, words
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_who_decided_is_said_with_how_they_are_known(known: Case) -> None:
    votes = {"click": "Slack's signature", "order": "AWS: arn:aws:iam::123456789012:user/lead", "event": "by an event"}
    known.stack.ledger.commit(Put("interaction", "click", {"admitted": "member", "rule": "granted"}))
    arn = votes["order"].removeprefix("AWS: ")
    known.stack.ledger.commit(Put("interaction", "order", {"admitted": "proven", "arn": arn, "rule": "disable"}))
    for id in votes:
        asked = Request(
            f"request-{id}", "disable", SEARCH, "U0SEARCH", AT, AT + timedelta(hours=24), {"cause": "operator"},
            ("U0LEAD",), shown=("Disable every live key.",),
        )  # fmt: skip
        known.approvals.ask(asked)
        known.approvals.vote(asked.id, asked.digest, Vote(id, "U0LEAD", "approve", AT))
    known.disables("operator", "request-order")
    ran = known.explains("request-click", "--json")
    approved = [one for one in ran.json["timeline"] if one["what"].startswith("Approved: disable")]
    assert {one["id"]: one["by"] for one in approved} == dict.fromkeys(votes, "U0LEAD")
    for one in approved:
        assert votes[one["id"]] in one["why"]
    assert [one["what"] for one in ran.json["because"]] == [f"Asked: disable {SEARCH}"]


def test_why_nothing_was_disabled_is_the_rules_own_words(known: Case) -> None:
    known.publishes("kill_switch", DetailType.DISABLE_WITHHELD, "Tier 0.", rule="tier_zero", cause="runaway")
    ran = known.explains("prod-search-agent", "--json")
    assert ran.json["verdict"][0] == f"No cause of Governor's holds {SEARCH} disabled."
    (last,) = ran.json["because"]
    assert (last["rule"], last["document"]["where"]) == ("tier_zero", 'docs/operations.md, "Disable Withheld"')
    assert last["document"]["text"].startswith(
        "The workload is never disabled without a human. What to do: page its owner"
    )


def test_a_key_that_somebody_else_disabled_or_enabled_is_told_apart(known: Case) -> None:
    lineage = Lineage(SEARCH, (LineageKey(known.hash, SEARCH, "current", AT), LineageKey("f" * 64, "x", "overlap", AT)))
    Lineages(known.stack.ledger).write(lineage)
    known.disables("runaway", "e1")
    store = CauseStore(known.stack.ledger)
    (row,) = store.causes(SEARCH).rows.values()
    store.write(replace(row, status="lifted", lifted_by="U0LEAD", lifted_at=AT))
    said = " ".join(known.explains(SEARCH, "--json").json["verdict"])
    assert f"Somebody else disabled {known.hash[:12]}" in said
    assert "OpenRouter does not know the key ffffffffffff" in said
    known.simulator.organization.key(known.hash).disabled = False
    (row,) = store.causes(SEARCH).rows.values()
    store.write(replace(row, status="disabled"))
    assert f"A cause holds {known.hash[:12]}, which is enabled" in " ".join(
        known.explains(SEARCH, "--json").json["verdict"]
    )


@pytest.mark.parametrize(
    ("outside", "gap"),
    [
        ({"key": ""}, "OpenRouter: was not asked: there is no management key"),
        ({"transport": Unreachable()}, "OpenRouter: "),
    ],
)
def test_what_could_not_be_read_is_said_and_never_taken_for_nothing(
    known: Case, outside: dict[str, Any], gap: str
) -> None:
    known.disables("runaway", "e1")
    ran = known.explains(SEARCH, "--json", **outside)
    assert ran.code == 1
    assert [one[: len(gap)] for one in ran.json["not_read"]] == [gap]
    assert f"not read: {gap}" in ran.stderr
    assert "is held disabled" in ran.json["verdict"][0]


def test_nothing_known_says_so_with_the_nearest_name(known: Case) -> None:
    ran = known.explains("prod-serch-agent")
    assert ran.code == 2
    assert "Did you mean prod-search-agent?" in ran.stderr.replace("\n", " ")
    assert known.explains("prod-mail-agent").code == 0, "declared, and nothing has happened to it"
    assert known.explains("e" * 64).code == 2


def test_a_question_that_hangs_or_fails_holds_up_no_other() -> None:
    hang = threading.Event()

    def fail() -> str:
        raise ValueError("no")

    answers = beside({"a": lambda: "1", "b": fail, "c": lambda: str(hang.wait())}, 0.2)
    hang.set()
    assert answers["a"] == "1"
    assert isinstance(answers["b"], ValueError)
    assert isinstance(answers["c"], TooSlow)


@pytest.mark.parametrize("kind", sorted(set(DetailType) - REQUESTS - OF_DECISIONS | {DetailType.RUNAWAY_EXPECTED}))
def test_every_event_has_a_section_that_exists(kind: DetailType) -> None:
    assert has_section(SECTIONS[kind])


def test_every_cause_and_every_decision_has_a_section_that_exists() -> None:
    assert all(map(has_section, (*CAUSES.values(), DECISIONS)))


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (DetailType.RUNAWAY_CONFIRMED, "habit"), (DetailType.DISABLE_WITHHELD, "account_leash"),
        (DetailType.RESTORE_REFUSED, "newer_cause"), (DetailType.ROLLBACK_REFUSED, "second_yes"),
        (DetailType.ROTATION_FAILED, "cap_used_up"), (DetailType.DRILL_FAILED, "would_cut_off"),
        (DetailType.FAILOVER_GAP_FOUND, "left_out"),
    ],
)  # fmt: skip
def test_a_rule_is_quoted_from_its_table(kind: DetailType, rule: str) -> None:
    assert said(SECTIONS[kind], rule).text
    assert not said(SECTIONS[kind], "no_such_rule").text

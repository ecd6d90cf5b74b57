"""`status` and `keys` show what the ledger holds, and end with 1 where a person should look."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from governor.approvals.approval import Request
from governor.approvals.store import Approvals
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import Lineage, LineageKey, Lineages, Rotation
from governor.ledger.dynamodb import DynamoLedger
from tests.unit.cli.stack import REGION, StackDouble, stack_double
from tests.unit.cli.terminal import NOW

AT = datetime.fromtimestamp(NOW, UTC)
POLICY = """
version: 1
workloads:
  - {name: prod-search-agent, workspace: production, owner: {slack: U0SEARCH}, secret: openrouter/search}
  - {name: prod-mail-agent, workspace: production, owner: {slack: U0MAIL}}
approvals: {channel: C0GOVERNOR, approvers: [U0LEAD]}
"""


@pytest.fixture
def stack() -> Iterator[StackDouble]:
    with stack_double() as made:
        yield made


@pytest.fixture
def policy(tmp_path: Path) -> tuple[str, str]:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return "--policy", str(path)


def _filled(stack: StackDouble) -> None:
    hour = timedelta(hours=3)
    CauseStore(stack.ledger).write(
        CauseRow("prod-search-agent", "runaway", "disabled", "e1", ("a" * 64,), AT - hour),
        CauseRow("prod-search-agent", "budget", "lifted", "e0", ("a" * 64,), AT - 2 * hour),
    )
    keys = (
        LineageKey("a" * 64, "prod-search-agent#2", "current", AT - hour),
        LineageKey("b" * 64, "prod-search-agent#1", "overlap", AT - hour),
        LineageKey("c" * 64, "prod-search-agent#0", "deleted", AT - hour),
    )
    Lineages(stack.ledger).write(Lineage("prod-search-agent", keys, Rotation("t", "asked", AT - hour)))
    decisions = DynamoLedger(boto3.client("dynamodb", REGION), "decisions")
    asked = Request("r1", "restore", "prod-search-agent", "U0SEARCH", AT - hour, AT + hour, {}, ("U0LEAD",))
    Approvals(stack.ledger, decisions).ask(asked)


def test_nothing_to_see_ends_with_nought(stack: StackDouble, policy: tuple[str, str]) -> None:
    ran = stack.run("status", *policy)
    assert ran.code == 0
    assert ran.stdout.splitlines() == ["Disabled: nothing", "In rotation: nothing", "Waiting for a decision: nothing"]


def test_what_is_held_turning_and_waiting_is_shown(stack: StackDouble, policy: tuple[str, str]) -> None:
    _filled(stack)
    ran = stack.run("status", *policy)
    assert ran.code == 1
    for word in ("runaway", "3 h ago", "asked", "restore", "U0SEARCH", "0 of 1"):
        assert word in ran.stdout, word
    assert "budget" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80
    ran = stack.run("status", *policy, "--json")
    assert [one["cause"] for one in ran.json["disabled"]] == ["runaway"]
    assert [one["id"] for one in ran.json["waiting"]] == ["r1"]


def test_every_workloads_keys_are_shown_and_one_without_is_said(stack: StackDouble, policy: tuple[str, str]) -> None:
    _filled(stack)
    ran = stack.run("keys", *policy)
    assert ran.code == 1
    assert "no key of Governor's" in ran.stdout
    ran = stack.run("keys", *policy, "--json")
    found = [(one["workload"], one["state"], one["hash"]) for one in ran.json["keys"]]
    assert found == [
        ("prod-search-agent", "current", "a" * 64), ("prod-search-agent", "overlap", "b" * 64),
        ("prod-mail-agent", None, None),
    ]  # fmt: skip


def test_a_policy_that_is_not_there_or_does_not_hold_is_said_by_line(stack: StackDouble, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    ran = stack.run("status", "--policy", str(path))
    assert ran.code == 2
    assert "cannot be read" in ran.stderr
    path.write_text("version: 1\nworkload: []\n")
    ran = stack.run("status", "--policy", str(path))
    assert ran.code == 2
    assert "unknown field" in ran.stderr

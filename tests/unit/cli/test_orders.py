"""Orders: what is sent is signed, what is answered is shown, and exit codes say whether anything is done."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import NoCredentialsError

from governor.aws_identity import Proof
from tests.unit.cli.stack import StackDouble, stack_double

WORKLOAD = "prod-search-agent"


@pytest.fixture
def stack() -> Iterator[StackDouble]:
    with stack_double() as made:
        made.on_sleep = lambda: made.answer("disable", "It is being done; <@U0LEAD> is told &amp; more.")
        yield made


def test_an_order_is_sent_signed_and_its_answer_is_shown(stack: StackDouble) -> None:
    ran = stack.run("disable", WORKLOAD)
    assert (ran.code, ran.stdout) == (0, "It is being done; U0LEAD is told & more.\n")
    (entry,) = stack.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "governor", "governor.cli", "Command Requested",
    )  # fmt: skip
    detail = json.loads(entry["Detail"])
    assert (detail["subject"], detail["evidence"]["command"]) == (WORKLOAD, f"disable {WORKLOAD}")
    assert Proof.decode(detail["evidence"]["proof"]).access_key == "FAKEACCESSKEY0000001"
    assert set(detail) == {"subject", "evidence"}, "no name of anybody"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("rotate", WORKLOAD), f"rotate {WORKLOAD}"),
        (("restore", WORKLOAD), f"restore {WORKLOAD}"),
        (("restore", WORKLOAD, "budget"), f"restore {WORKLOAD} budget"),
        (("expected", WORKLOAD), f"expected {WORKLOAD}"),
        (("rollback-key", WORKLOAD), f"rollback-key {WORKLOAD}"),
        (("rollback", "support-triage"), "rollback support-triage"),
        (("promote", "support-triage"), "promote support-triage"),
        (("drill", "platform", "anthropic"), "drill platform anthropic"),
    ],
)
def test_each_command_says_what_slacks_says(stack: StackDouble, arguments: tuple[str, ...], command: str) -> None:
    assert stack.run(*arguments).code == 0
    assert json.loads(stack.entries[0]["Detail"])["evidence"]["command"] == command


def test_what_is_understood_and_not_done_ends_with_one(stack: StackDouble) -> None:
    stack.on_sleep = lambda: stack.answer("not_standing", "It is not disabled for a cause that can be lifted here.")
    ran = stack.run("restore", WORKLOAD, "--json")
    assert ran.code == 1
    assert (ran.json["done"], ran.json["rule"], ran.json["by"]) == (False, "not_standing", "U0LEAD")
    assert ran.json["identity"] == "arn:aws:iam::123456789012:user/lead"


def test_no_answer_in_time_says_so_and_claims_nothing(stack: StackDouble) -> None:
    slept: list[int] = []
    stack.on_sleep = lambda: slept.append(1)
    ran = stack.run("rotate", WORKLOAD, "--wait", "3")
    assert (ran.code, ran.stdout, len(slept)) == (3, "", 3)
    assert "It may yet be done" in ran.stderr


def test_without_waiting_the_command_is_sent_and_no_more_is_said(stack: StackDouble) -> None:
    ran = stack.run("rotate", WORKLOAD, "--wait", "0", "--json")
    assert (ran.code, ran.json["sent"], "done" in ran.json) == (0, True, False)


def test_what_cannot_be_meant_is_not_sent(stack: StackDouble) -> None:
    key = "sk-or-v1-" + "f" * 32
    for arguments, said in (
        (("disable", "two words"), "Write `governor disable <workload>`"),
        (("disable", ""), "Write `governor disable <workload>`"),
        (("disable", key), "looks like a credential"),
    ):
        ran = stack.run(*arguments)
        assert ran.code == 2
        assert said in ran.stderr
        assert key not in ran.stderr
    assert stack.entries == []


@pytest.mark.parametrize(
    ("name", "outputs", "said"),
    [
        ("", None, "No stack was named"),
        ("other", None, "There is no stack other"),
        ("governor", {"EventBusName": "x"}, "has no output EventBusArn, LedgerTable, DecisionsTable"),
    ],
)
def test_another_stack_is_told_from_governors(
    stack: StackDouble, name: str, outputs: dict[str, str] | None, said: str
) -> None:
    stack.outputs = outputs or stack.outputs
    ran = stack.run("rotate", WORKLOAD, stack=name)
    assert ran.code == 2
    assert said in ran.stderr.replace("\n", " ")
    assert stack.entries == []


def test_a_bus_that_does_not_take_it_and_no_credentials_are_said(stack: StackDouble) -> None:
    stack.refuses = "ThrottlingException"
    ran = stack.run("rotate", WORKLOAD)
    assert ran.code == 3
    assert "did not take the command: ThrottlingException" in ran.stderr

    def none() -> None:
        raise NoCredentialsError

    ran = stack.run("rotate", WORKLOAD, credentials=none)
    assert ran.code == 3
    assert "Sign in to AWS" in ran.stderr

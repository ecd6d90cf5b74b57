"""`governor disable`, `restore`, `rotate` against the built stack: signed here, proven by STS, done by the functions
under their roles. The rights of the people are enforced too: the bus, and a look at the tables.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.main import build
from cli.session import KEY_VARIABLE, Outside
from governor.aws_identity import Proof, digest, sign
from sandbox.engine.template import ACCOUNT, REGION
from sandbox.scenario.organization import SEARCH, founding
from sandbox.scenario.world import MANAGEMENT_KEY, MINUTE, World, open_world

LEAD = f"arn:aws:iam::{ACCOUNT}:user/lead"
ALSO_LEAD = f"arn:aws:sts::{ACCOUNT}:assumed-role/lead-breakglass/tonight"
SEC = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Operators_0123456789abcdef/sec@example.com"
STRANGER = f"arn:aws:iam::{ACCOUNT}:user/stranger"
PEOPLE = f"""
people:
  U0LEAD: {{aws: ['{LEAD}', 'arn:aws:sts::{ACCOUNT}:assumed-role/lead-breakglass/*']}}
  U0SEC: {{aws: ['{SEC}']}}
"""


class Stack:
    """CloudFormation, as far as the command line asks it: the outputs of the stack that the engine has deployed."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        outputs = self._world.engine.outputs.items()
        return {"Stacks": [{"Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs]}]}


class Person:
    """Somebody with AWS credentials at a terminal."""

    def __init__(self, world: World, arn: str) -> None:
        outputs = world.engine.outputs
        tables = [
            f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{outputs[one]}" for one in ("LedgerTable", "DecisionsTable")
        ]
        rights = [
            {"Effect": "Allow", "Action": "events:PutEvents", "Resource": outputs["EventBusArn"]},
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": tables},
        ]
        self.world, self.held = world, world.engine.sign_in(arn, rights)
        self.credentials = ReadOnlyCredentials(
            self.held["aws_access_key_id"], self.held["aws_secret_access_key"], self.held.get("aws_session_token", "")
        )

    def client(self, service: str, _region: str | None = None) -> Any:
        return Stack(self.world) if service == "cloudformation" else self.world.engine.client_with(self.held, service)

    def governor(self, *arguments: str, key: str = "") -> tuple[int, Any]:
        """The exit code, and the result. `key`: the management key, where it is needed."""
        transport = httpx.HTTPTransport()
        outside = Outside(
            environment={KEY_VARIABLE: key},
            transport=transport,
            aws=self.client,
            credentials=lambda: self.credentials,
            now=lambda: self.world.now,
            sleep=lambda _: self.world.engine.settle(),
        )
        with transport:
            ran = CliRunner().invoke(build(), [*arguments, "--json", "--stack", "sandbox"], obj=outside)
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.exit_code, json.loads(ran.stdout) if ran.stdout else ran.stderr

    def entry(self, text: str, **altered: str) -> dict[str, Any]:
        """A signed event, which somebody may alter on the way."""
        arn = self.world.engine.outputs["EventBusArn"]
        url = self.world.engine.client("sts").meta.endpoint_url
        proof = sign(self.credentials, url, REGION, digest(arn, text, "n1"))
        return {"subject": SEARCH, "evidence": {"command": text, "nonce": "n1", "proof": proof.encode(), **altered}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    account = founding()
    with open_world(tmp_path, account=replace(account, policy=lambda url: account.policy(url) + PEOPLE)) as opened:
        yield opened


def _interactions(world: World) -> list[Mapping[str, Any]]:
    table = world.engine.outputs["LedgerTable"]
    found = world.engine.client("dynamodb").query(
        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "interaction"}}
    )
    return [json.loads(one["data"]["S"]) for one in found["Items"]]


def test_a_person_disables_restores_and_rotates_from_the_command_line(world: World, tmp_path: Path) -> None:
    lead, policy = Person(world, LEAD), ("--policy", str(tmp_path / "policy.yaml"))
    code, said = lead.governor("disable", SEARCH)
    assert (code, said["done"], said["by"], said["identity"]) == (0, True, "U0LEAD", LEAD), said
    world.run(world.now + MINUTE)
    assert world.key(SEARCH).disabled
    code, shown = lead.governor("status", *policy)
    assert (code, [(one["subject"], one["cause"]) for one in shown["disabled"]]) == (1, [(SEARCH, "operator")])
    assert lead.governor("restore", SEARCH, "operator")[0] == 0
    world.run(world.now + MINUTE)
    assert not world.key(SEARCH).disabled
    assert lead.governor("status", *policy) == (0, {"disabled": [], "in_rotation": [], "waiting": []})
    code, said = lead.governor("restore", SEARCH)
    assert (code, said["done"]) == (1, False)
    assert "is not disabled for a cause that can be lifted here" in said["said"]
    assert lead.governor("rotate", SEARCH)[0] == 0
    world.run(world.now + 5 * MINUTE)
    (rotated,) = world.events("Key Rotated")
    assert rotated["detail"]["subject"] == SEARCH
    code, listed = lead.governor("keys", *policy)
    assert {"current", "overlap"} <= {one["state"] for one in listed["keys"] if one["workload"] == SEARCH}
    assert world.engine.dead_letters() == []


def test_why_a_key_is_disabled_takes_one_command(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.history.SECONDS", 60)  # a busy machine is no gap
    lead, policy = Person(world, LEAD), ("--policy", str(tmp_path / "policy.yaml"))
    world.run(world.now + 2 * MINUTE)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.key(SEARCH).disabled, at_most=20 * MINUTE)
    world.end_loop(SEARCH)
    world.run(world.now + MINUTE)
    (disabled,) = world.events("Key Disabled")
    (confirmed,) = world.events("Runaway Confirmed", subject=SEARCH)
    for word in (SEARCH, world.hash(SEARCH), disabled["detail"]["id"], confirmed["detail"]["id"]):
        code, why = lead.governor("explain", word, *policy, key=MANAGEMENT_KEY)
        assert (code, why["subject"], why["not_read"]) == (0, SEARCH, []), why
        assert "held disabled by the cause `runaway`" in why["verdict"][0]
        assert any("is disabled; $" in one for one in why["verdict"])
        assert [one["what"] for one in why["because"]] == ["Key Disabled", "Runaway Confirmed"]
        assert why["because"][0]["why"] == disabled["detail"]["reason"]
        rule = why["because"][1]
        assert rule["document"]["where"] == 'docs/detection.md, "What confirms"'
        assert rule["document"]["text"], rule
    assert lead.governor("restore", SEARCH)[0] == 0
    world.run(world.now + MINUTE)
    code, why = lead.governor("explain", SEARCH, *policy)
    assert (code, why["verdict"][0]) == (1, f"No cause of Governor's holds {SEARCH} disabled.")
    assert why["not_read"] == ["OpenRouter: was not asked: there is no management key"]
    (approved,) = [one for one in why["timeline"] if one["what"].startswith("Approved: restore")]
    assert (approved["by"], LEAD in approved["why"]) == ("U0LEAD", True)


def test_two_identities_of_one_person_never_make_two_people(world: World) -> None:
    lead, also, sec = Person(world, LEAD), Person(world, ALSO_LEAD), Person(world, SEC)
    assert lead.governor("expected", SEARCH)[0] == 0
    assert also.governor("expected", SEARCH)[1]["by"] == "U0LEAD"
    assert sec.governor("expected", SEARCH)[1]["by"] == "U0SEC"


def test_whoever_may_put_events_but_is_nobody_in_the_policy_does_nothing(world: World) -> None:
    stranger, lead = Person(world, STRANGER), Person(world, LEAD)
    code, said = stranger.governor("disable", SEARCH)
    assert (code, said["rule"], said["identity"]) == (1, "unnamed", STRANGER)
    altered = lead.entry(f"rotate {SEARCH}", command=f"disable {SEARCH}")
    proof = Proof.decode(lead.entry(f"disable {SEARCH}")["evidence"]["proof"])
    mine = Proof.decode(stranger.entry(f"disable {SEARCH}")["evidence"]["proof"])
    swapped = lead.entry(f"disable {SEARCH}", proof=replace(mine, access_key=proof.access_key).encode())
    named = {**lead.entry(f"disable {SEARCH}", proof="00"), "by": "U0LEAD", "requested_by": "U0LEAD"}
    before = len(_interactions(world))
    for forged in (altered, swapped, named):
        world.put_event("Command Requested", forged, source="operator")
    world.run(world.now + MINUTE)
    assert not world.key(SEARCH).disabled
    assert len(_interactions(world)) == before
    assert world.events("Approval Granted") == []
    assert world.engine.dead_letters() == []


def test_a_recorded_command_does_nothing_a_second_time_and_nothing_on_another_day(world: World) -> None:
    lead = Person(world, LEAD)
    event, late = lead.entry(f"rotate {SEARCH}"), lead.entry(f"disable {SEARCH}")
    for _ in range(3):
        world.put_event("Command Requested", event, source="somebody.else")
    world.run(world.now + 10 * MINUTE)
    assert len(_interactions(world)) == 1
    world.put_event("Command Requested", late, source="somebody.else")
    world.run(world.now + MINUTE)
    assert not world.key(SEARCH).disabled
    assert len(_interactions(world)) == 1


def test_a_persons_own_rights_are_the_bus_and_a_look_and_no_more(world: World) -> None:
    lead = Person(world, LEAD)
    with pytest.raises(ClientError, match="AccessDenied"):
        lead.client("events").put_events(Entries=[
            {"EventBusName": "default", "Source": "x", "DetailType": "Command Requested", "Detail": "{}"}
        ])  # fmt: skip
    with pytest.raises(ClientError, match="AccessDenied"):
        lead.client("dynamodb").put_item(
            TableName=world.engine.outputs["LedgerTable"], Item={"pk": {"S": "interaction"}, "sk": {"S": "x"}}
        )

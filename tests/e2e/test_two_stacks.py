"""Two organizations, at an American and a European host, in one AWS account and region: neither reaches the other."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import build
from sandbox.engine import Deployed
from sandbox.openrouter import Simulator
from sandbox.scenario.organization import REPORTS, SEARCH
from sandbox.scenario.world import CHANNEL, SLACK_TOKEN, World
from sandbox.slack import SlackSimulator

MANAGEMENT_KEY = "sk-or-v1-fake-european-management-key"
OURS, THEIRS = "openrouter/prod/finance-reports", "openrouter-eu/prod/finance-reports"
POLICY = """\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: C0GOVERNOR}}
workloads:
  - name: prod-search-agent
    workspace: platform-production
    owner: {{slack: U0SEARCH}}
    key: {{limit_usd: 200, limit_reset: monthly}}
    secret: openrouter-eu/prod/search-agent
    exposed: {{mode: disable}}
  - name: prod-finance-reports
    workspace: platform-production
    owner: {{slack: U0FINANCE}}
    key: {{limit_usd: 10, limit_reset: monthly}}
    secret: openrouter-eu/prod/finance-reports
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC]}}
"""
"""The workloads have the same names as those of the first organization: names, too, are each stack's own."""


@dataclass(frozen=True)
class European:
    """The second organization and its stack."""

    simulator: Simulator
    slack: SlackSimulator
    stack: Deployed

    def told(self) -> list[tuple[str, str]]:
        """Type and subject of what its stack published, in order, each once."""
        archived = self.stack.archived("BusArchive")
        heard = {
            e["detail"]["id"]: (e["detail-type"], e["detail"]["subject"]) for e in archived if e["source"] == "governor"
        }
        return list(heard.values())


@pytest.fixture
def european(world: World, tmp_path: Path) -> Iterator[European]:
    simulator = Simulator(MANAGEMENT_KEY, credits=5000.0)
    simulator.organization.create_workspace("Platform Production", "platform-production")
    secrets: dict[str, Any] = {
        "governor-eu/openrouter-management-key": {"api_key": MANAGEMENT_KEY},
        "governor-eu/slack": {"bot_token": SLACK_TOKEN},
        "governor-eu/slack-signing": {"signing_secret": "fake-european-signing-secret"},
    }
    for name, limit in ((SEARCH, 200), (REPORTS, 10)):
        _, plaintext = simulator.create_key(name, workspace="platform-production", limit=limit, limit_reset="monthly")
        secrets[f"openrouter-eu/prod/{name.removeprefix('prod-')}"] = {"api_key": plaintext}
    slack = SlackSimulator(SLACK_TOKEN, channels={CHANNEL: "governor"})
    with contextlib.ExitStack() as stack:
        base_url, slack_url = stack.enter_context(simulator.serve()), stack.enter_context(slack.serve())
        policy = tmp_path / "policy-eu.yaml"
        policy.write_text(POLICY.format(base_url=base_url))
        parameters = {
            "Arch": build.ARCH,
            "SlackApiUrl": slack_url,
            "SlackSecretName": "governor-eu/slack",
            "SlackSigningSecretName": "governor-eu/slack-signing",
            "ManagementKeySecretName": "governor-eu/openrouter-management-key",
            "WorkloadSecretPrefix": "openrouter-eu/",
            "ProviderSecretPrefix": "providers-eu/",
            "PresetSecretPrefix": "presets-eu/",
            "RequestsPerSecond": "200",
        }
        built = build.with_policy(policy, tmp_path / "stack-eu")
        yield European(simulator, slack, world.engine.beside(built, "governor-eu", parameters, secrets))


def _keys(simulator: Simulator) -> dict[str, bool]:
    return {key.name: key.disabled for key in simulator.organization.keys}


def _rows(stack: Deployed, table: str) -> list[Any]:
    found: list[Any] = stack.client("dynamodb").scan(TableName=stack.outputs[table])["Items"]
    return found


def _refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_no_name_is_shared(world: World, european: European) -> None:
    ours, theirs = world.engine.resources, european.stack.resources
    assert set(ours) == set(theirs), "one template"
    shared = {logical_id for logical_id, ref in ours.items() if ref in theirs.values()}
    assert shared == {"BusPolicy"}, "a statement's name within the policy of its own bus"


def test_a_rotation_here_and_a_disable_there_do_not_cross(world: World, european: European) -> None:
    world.run(world.now + timedelta(minutes=2))
    secret, their_secret = world.held(OURS), world.held(THEIRS)
    keys, their_keys = _keys(world.simulator), _keys(european.simulator)

    world.put_event("Rotation Requested", {"subject": REPORTS, "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now + timedelta(minutes=3))
    assert world.held(OURS)["api_key"] != secret["api_key"]
    assert world.held(THEIRS) == their_secret
    assert _keys(european.simulator) == their_keys
    assert european.told() == []
    assert not [request for request in european.simulator.requests if request.method != "GET"]
    # Their organization has a key of the same name, which their own failover check remembers.
    written = [row for row in _rows(european.stack, "LedgerTable") if row["pk"]["S"] != "byok"]
    assert REPORTS not in json.dumps(written)

    ours = (world.held(OURS), _keys(world.simulator), [event["detail"]["id"] for event in world.events()])
    european.stack.put_event("Key Exposed", {"subject": SEARCH, "reason": "found in a log"}, source="scanner")
    world.run(world.now + timedelta(minutes=3))
    assert _keys(european.simulator)[SEARCH] is True
    assert "Key Disabled" in [kind for kind, subject in european.told() if subject == SEARCH]
    assert (world.held(OURS), _keys(world.simulator), [event["detail"]["id"] for event in world.events()]) == ours
    assert keys[SEARCH] is False

    assert any("has a new key" in line for line in world.slack_lines())
    assert not [message for message in european.slack.messages(CHANNEL) if REPORTS in message["text"]]
    assert any(SEARCH in message["text"] for message in european.slack.messages(CHANNEL))
    assert not [line for line in world.slack_lines() if SEARCH in line]
    assert world.engine.dead_letters() == european.stack.dead_letters() == []
    for stack, space in ((world.engine, "sandbox"), (european.stack, "governor-eu")):
        spaces = {
            directive["Namespace"]
            for line in stack.logs("SpendMeterFunction").splitlines()
            if '"_aws"' in line
            for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]
        }
        assert spaces == {space}


def test_the_roles_of_one_stack_reach_nothing_of_the_other(world: World, european: European) -> None:
    ours, theirs = world.engine, european.stack
    row = {"pk": {"S": "subject#a"}, "sk": {"S": "cause#runaway"}}
    bus = {
        "EventBusName": ours.outputs["EventBusName"],
        "Source": "governor",
        "DetailType": "Key Disabled",
        "Detail": "{}",
    }

    def read(secret: str) -> Callable[[], Any]:
        return lambda: theirs.client_as("SpendMeterFunction", "secretsmanager").get_secret_value(SecretId=secret)

    attempts: dict[str, Callable[[], Any]] = {
        "their meter reads our management key": read("governor/openrouter-management-key"),
        "their meter reads our workload's key": read(OURS),
        "their meter reads our reading": lambda: theirs.client_as("SpendMeterFunction", "s3").get_object(
            Bucket=ours.outputs["ReadingBucket"], Key="readings/state.bin"
        ),
        "their kill switch writes our ledger": lambda: theirs.client_as("KillSwitchFunction", "dynamodb").put_item(
            TableName=ours.outputs["LedgerTable"], Item=row
        ),
        "their desk writes our decisions": lambda: theirs.client_as("ApprovalDeskFunction", "dynamodb").put_item(
            TableName=ours.outputs["DecisionsTable"], Item=row
        ),
        "their kill switch tells on our bus": lambda: theirs.client_as("KillSwitchFunction", "events").put_events(
            Entries=[bus]
        ),
        "their gateway reads our signing secret": lambda: theirs.client_as(
            "SlackGatewayFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/slack-signing"),
        "their gateway sends to our desk": lambda: theirs.client_as("SlackGatewayFunction", "sqs").send_message(
            QueueUrl=ours.physical("SlackRequestQueue"), MessageBody="{}"
        ),
    }
    codes = {name: _refused(attempt) for name, attempt in attempts.items()}
    assert set(codes.values()) <= {"AccessDenied", "AccessDeniedException", "403"}, codes

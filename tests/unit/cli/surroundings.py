"""Every command, and somebody's desk to run it at: a folder, an account and a deployed stack, each of which can be
looked at afterwards.

A command that is new is a row of `COMMANDS`, or test_every_command.py fails.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import boto3
import httpx
from botocore.credentials import ReadOnlyCredentials
from typer.testing import CliRunner

from cli.main import build
from cli.session import KEY_VARIABLE, Outside
from governor.broadcast.destination import HEADER
from management_api import Retry
from sandbox.openrouter import Simulator
from sandbox.openrouter.destinations import DEFAULTS, Destination
from tests.unit.cli.stack import REGION, StackDouble
from tests.unit.cli.terminal import MANAGEMENT, NOW, InProcess, Ran

WORKLOAD = "prod-search-agent"
LONG = "An old key with a long name, made by hand and never renamed since " * 2
POLICY = f"""
version: 1
alerts: {{channel: C0GOVERNOR}}
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD]}}
workloads:
  - {{name: {WORKLOAD}, workspace: platform, owner: {{slack: U0SEARCH}}, key: {{limit_usd: 20, limit_reset: daily}}}}
"""
SECRET, TOKEN, URL = "governor/broadcast", "fake-token-of-broadcast-" * 2, "https://gateway.example.com/"
BROADCAST = {"BroadcastSecretName": SECRET, "BroadcastSamplingRate": "1"}
REVIEW = {
    "at": "2026-11-16T07:00:00Z", "findings": [],
    "summary": {
        "run": "weekly-2026-11-16", "findings": {}, "week_usd": 1.0, "week_before_usd": 1.0,
        "month_expected_usd": None, "new": 0, "accepted": 0, "unread": [],
    },
}  # fmt: skip
PIECES = ("index.html", "findings.csv", "costs.csv", "focus.csv")


@dataclass(frozen=True)
class Command:
    """`words`: its arguments, in a folder with `policy.yaml` and `state.json`. `code`: how it ends when all is well.

    `openrouter`: what it does there, and `asks_if` where it does without a key. `stack`: it needs a deployed one.
    `lists`: it reads or shows every key. `finds`: it may end with 1.
    """

    name: str
    words: str
    openrouter: Literal["reads", "writes", "asks_if", ""] = ""
    stack: bool = True
    code: int = 0
    lists: bool = False
    finds: bool = True

    @property
    def needs_a_key(self) -> bool:
        return self.openrouter in ("reads", "writes")

    def __str__(self) -> str:
        return f"{self.name} {self.words.partition('--save')[1]}".strip()


FILE = "--policy policy.yaml"
COMMANDS = (
    Command("import", "new.yaml", "reads", stack=False, lists=True),
    Command("policy check", "policy.yaml --account", "reads", stack=False, lists=True),
    Command(
        "plan", "policy.yaml --days 1 --no-cache --terraform state.json --html plan.html", "reads", stack=False,
        code=1, lists=True,
    ),
    Command("terraform drift", "state.json", "reads", stack=False, code=1, lists=True),
    Command("explain", f"{WORKLOAD} {FILE}", "asks_if", lists=True),
    Command("status", FILE, lists=True),
    Command("keys", FILE, code=1, lists=True),
    Command("doctor", FILE, code=1),
    *(Command(name, WORKLOAD) for name in ("disable", "restore", "expected", "rotate", "rollback-key")),
    *(Command(name, "4f1c2b") for name in ("pause", "resume", "stop")),
    Command("rotate", "--workspace platform --because leaked"),
    Command("promote", "support-triage"),
    Command("rollback", "support-triage"),
    Command("drill", "platform anthropic"),
    Command("review", "--now"),
    Command("review", "--save there"),
    Command("broadcast check", FILE, "reads", code=1),
    Command("broadcast setup", FILE, "writes"),
    Command("broadcast rotate", FILE, "writes"),
    Command("broadcast notifications", "", finds=False),
)  # fmt: skip


def populate(simulator: Simulator) -> None:
    """A workspace with the workload's key, another key, and Broadcast set up but for its switch."""
    place = simulator.organization.create_workspace("Platform", "platform")
    simulator.create_key(WORKLOAD, workspace="platform", limit=20.0, limit_reset="daily")
    simulator.create_key(LONG)
    config = {"url": URL, "method": "POST", "headers": {HEADER: TOKEN}}
    settings = {**DEFAULTS, "name": "governor", "enabled": True, "privacy_mode": True, "config": config}
    sends = Destination("destination-1", "webhook", place.id, NOW, NOW, settings)
    simulator.organization.destinations[sends.id] = sends


def furnish(simulator: Simulator, folder: Path) -> None:
    """The files that the commands' words name: a policy, and a Terraform state that differs from the account."""
    stated = {"id": simulator.organization.workspace("platform").id, "slug": "platform", "name": "Another"}
    instances = [{"attributes": stated}]
    resource = {"mode": "managed", "type": "openrouter_workspace", "name": "it", "instances": instances}
    (folder / "state.json").write_text(json.dumps({"version": 4, "resources": [resource]}))
    (folder / "policy.yaml").write_text(POLICY)


@dataclass
class Desk:
    """`on_request`: called before each request to OpenRouter or AWS, and before each wait."""

    stack: StackDouble
    folder: Path
    on_request: Callable[[], None] = lambda: None
    slept: float = 0.0
    simulator: Simulator = field(init=False)
    transport: InProcess = field(init=False)
    _is_reviewed: bool = False

    def __post_init__(self) -> None:
        self.simulator = Simulator(MANAGEMENT, clock=lambda: NOW)
        populate(self.simulator)
        furnish(self.simulator, self.folder)
        self.transport = InProcess(self.simulator.app)
        self.stack.parameters |= BROADCAST
        self.stack.outputs |= {"BroadcastUrl": URL, "ReadingBucket": "readings"}
        self.stack.on_request = lambda: self.on_request()
        self.secrets = boto3.client("secretsmanager", REGION)
        self.secrets.create_secret(Name=SECRET, SecretString=json.dumps({"token": TOKEN}))

    def has_been_reviewed(self) -> None:
        """The bucket holds a review."""
        s3 = boto3.client("s3", REGION)
        s3.create_bucket(Bucket="readings")
        s3.put_object(Bucket="readings", Key="reviews/latest.json", Body=json.dumps(REVIEW).encode())
        for name in PIECES:
            s3.put_object(Bucket="readings", Key=f"reviews/weekly-2026-11-16/{name}", Body=name.encode())
        self._is_reviewed = True

    def run(self, command: Command, *more: str, key: str = MANAGEMENT, **given: Any) -> Ran:
        """`more`: further arguments. `given`: fields of `Outside`, and variables of the environment in capitals."""
        if command.name == "review" and not self._is_reviewed:
            self.has_been_reviewed()
        variables = {name: given.pop(name) for name in list(given) if name.isupper()}
        outside = Outside(
            environment={KEY_VARIABLE: key} if key else {},
            transport=_Watched(self),
            aws=self.stack.client,
            credentials=lambda: ReadOnlyCredentials("FAKEACCESSKEY0000001", "fake", "fake-token"),
            now=lambda: datetime.fromtimestamp(NOW, UTC),
            retry=Retry(sleep=lambda _: None),
            sleep=self._sleep,
            web=_nowhere,
        )
        words = [*command.name.split(), *command.words.split(), *more]
        words += ["--stack", "governor"] if command.stack and "--help" not in more else []
        environment = {"COLUMNS": "80", "NO_COLOR": None, "FORCE_COLOR": None, **variables}
        result = CliRunner().invoke(build(), words, obj=replace(outside, **given), env=environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def files(self) -> dict[str, bytes]:
        """Every file of the folder and below it."""
        return {str(one.relative_to(self.folder)): one.read_bytes() for one in self.folder.rglob("*") if one.is_file()}

    def far(self) -> dict[str, Any]:
        """What a command may have changed elsewhere: what the bus was handed, the secret, Broadcast at OpenRouter."""
        organization = self.simulator.organization
        secret = self.secrets.get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")["SecretString"]
        return {
            "bus": list(self.stack.entries),
            "secret": json.loads(secret),
            "switches": [dict(one.settings) for one in organization.workspaces.values()],
            "destinations": json.loads(json.dumps([one.settings for one in organization.destinations.values()])),
        }

    def _sleep(self, seconds: float) -> None:
        self.on_request()
        self.slept += seconds
        if self.stack.entries:
            self.stack.answer("disable", "It is being done; <@U0LEAD> is told.")


class _Watched(httpx.BaseTransport):
    """The desk's way to OpenRouter."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._desk.on_request()
        return self._desk.transport.handle_request(request)


def _nowhere(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Name or service not known", request=request)

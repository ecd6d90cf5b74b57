"""The organization, OpenRouter, Slack and the built stack, all in one virtual time.

A few lines over 300: all that a scenario looks at or touches, in one place.
"""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from governor.policy import lineage_name
from sandbox import build
from sandbox.engine import Engine
from sandbox.openrouter import Simulator
from sandbox.scenario.consumer import Consumer
from sandbox.scenario.organization import Founding, KeyOfOrganization, founding
from sandbox.slack import Sent, SlackSimulator
from sandbox.traffic import Loop, Profile

CHANNEL = "C0GOVERNOR"
MANAGEMENT_KEY = "sk-or-v1-fake-management-key"
SLACK_TOKEN = "xoxb-fake-token"
SIGNING_SECRET = "fake-signing-secret"
MODELS = ("anthropic/claude-haiku-4.5", "openai/gpt-5.1-codex-mini")
METER = "SpendMeterFunctionEveryMinute"
MAINTENANCE = (
    "KeyRetirementFunctionTenMinutes",
    "CredentialRotationFunctionTenMinutes",
    "ByokFailoverFunctionTenMinutes",
    "PresetPromotionFunctionTenMinutes",
    "ApprovalDeskFunctionFiveMinutes",
)
MINUTE = timedelta(minutes=1)


@dataclass
class Traffic:
    """One key's live traffic: its habit, and whatever befalls it. USD."""

    hash: str
    habit: Profile
    scale: float
    loops: list[Loop] = field(default_factory=list)

    def between(self, start: int, end: int) -> tuple[float, float]:
        """What it would spend by habit and in loops in the epoch minutes [start, end)."""
        habit = sum(self.habit.minute_spend(minute) for minute in range(start, end)) * self.scale
        return habit, sum(loop.minute_spend(minute) for loop in self.loops for minute in range(start, end))


class World:
    """Everything a scenario may look at or touch."""

    def __init__(self, simulator: Simulator, slack: SlackSimulator, engine: Engine, base_url: str) -> None:
        self.simulator = simulator
        self.slack = slack
        self.engine = engine
        self.base_url = base_url
        self.traffic: dict[str, Traffic] = {}
        self.plaintexts: dict[str, str] = {}
        self.consumers: list[Consumer] = []
        self.metered_until = 0
        self.ticks = 0
        self.on_tick: Callable[[datetime], None] = lambda _: None

    @property
    def now(self) -> datetime:
        return self.engine.now()

    def hash(self, name: str) -> str:
        return self.traffic[name].hash

    def key(self, name: str) -> Any:
        """The simulator's own record of a key."""
        return self.simulator.organization.key(self.hash(name))

    def spent(self, name: str) -> float:
        """USD over the key's life."""
        return float(self.key(name).meter.usage)

    def spent_by_all(self) -> float:
        """USD over the lives of all keys."""
        return sum(self.spent(name) for name in self.traffic)

    def metered(self, log: str | None = None) -> list[float]:
        """What the meter says was spent (USD), run by run: its log, or this stretch of it."""
        found = re.findall(r'^\{.*"message":"run".*\}$', log or self.engine.logs("SpendMeterFunction"), flags=re.M)
        return [float(json.loads(line)["spend_usd"]) for line in found]

    def subjects(self) -> dict[str, str]:
        """The name of whatever an event may be about: keys by hash, workspaces by id."""
        named = {one.id: one.name for one in self.simulator.organization.workspaces.values()}
        return named | {traffic.hash: name for name, traffic in self.traffic.items()}

    def run(self, until: datetime, *, every: timedelta = MINUTE, maintenance: timedelta | None = None) -> None:
        """Let time pass: traffic, then the run, minute by minute; `every` thins quiet stretches.

        `maintenance` thins the runs of those that look after something. Consumers ask at their own instants.
        """
        thin = {METER: every.total_seconds()} if every > MINUTE else {}
        thin |= dict.fromkeys(MAINTENANCE, maintenance.total_seconds()) if maintenance else {}
        while self.now < until:
            moment = min(self.now + every, until)
            minute = int(moment.timestamp()) // 60
            self._spend(minute)
            self.engine.run_until(moment, thin, self._consume)
            self.ticks += 1
            self.on_tick(moment)

    def run_while(self, condition: Callable[[], bool], *, at_most: timedelta, every: timedelta = MINUTE) -> bool:
        """Run, by the minute or as thinned, while `condition` holds; whether it ceased to hold in time."""
        end = self.now + at_most
        while condition() and self.now < end:
            self.run(self.now + every, every=every)
        return not condition()

    def loop(self, name: str, usd_per_hour: float) -> None:
        """From now on an agent loops on this key."""
        self.traffic[name].loops.append(Loop(usd_per_hour, int(self.now.timestamp()) // 60))

    def end_loop(self, name: str) -> None:
        """A human stops the agent."""
        loops = self.traffic[name].loops
        loops[-1] = replace(loops[-1], end=int(self.now.timestamp()) // 60)

    def events(self, detail_type: str | None = None, *, subject: str | None = None) -> list[dict[str, Any]]:
        """What Governor published so far (each id once), in order."""
        archived = self.engine.archived("BusArchive")
        heard = {event["detail"]["id"]: event for event in reversed(archived) if event["source"] == "governor"}
        return [
            event
            for event in reversed(heard.values())
            if detail_type in (None, event["detail-type"]) and subject in (None, event["detail"]["subject"])
        ]

    def click(self, user: str, button: str, **where: Any) -> Sent:
        """A person clicks a button in Slack (see `SlackSimulator.click`), and what comes of it at once comes."""
        return self._done(self.slack.click(user, button, **where))

    def open_home(self, user: str, **where: Any) -> Sent:
        """A person opens the app's Home in Slack."""
        return self._done(self.slack.open_home(user, **where))

    def press(self, user: str, button: str, **where: Any) -> Sent:
        """A person clicks a button of their Home (see `SlackSimulator.press`)."""
        return self._done(self.slack.press(user, button, **where))

    def command(self, user: str, text: str, **where: Any) -> Sent:
        """A person types `/governor text`, and what comes of it at once comes."""
        return self._done(self.slack.command(user, text, **where))

    def submit(self, user: str, **inputs: str) -> Sent:
        """A person submits the modal before them, and what comes of it at once comes."""
        return self._done(self.slack.submit(user, **inputs))

    def _done(self, sent: Sent) -> Sent:
        self.engine.settle()
        return sent

    def slack_lines(self) -> list[str]:
        """The first line of every message of the alerts channel, as it stands now."""
        return [message["text"].splitlines()[0] for message in self.slack.messages(CHANNEL)]

    def writes(self) -> list[str]:
        """The hash of the key in each write that Governor sent to OpenRouter, in order."""
        written = [one for one in self.simulator.requests if one.method in ("PATCH", "DELETE", "PUT")]
        return [one.path.rpartition("/")[2] for one in written]

    def written(self) -> list[str]:
        """The names of the workloads and keys that Governor wrote to."""
        names = {key.hash: lineage_name(key.name) for key in self.simulator.organization.keys}
        return sorted({names.get(hash, hash) for hash in self.writes()})

    def put_event(self, detail_type: str, detail: Mapping[str, Any], source: str = "operator") -> None:
        """As `aws events put-events` would."""
        self.engine.put_event(detail_type, dict(detail), source=source)

    def secret(self, name: str) -> dict[str, Any]:
        """What a consumer reads in Secrets Manager now."""
        read = self.engine.client("secretsmanager").get_secret_value(SecretId=name)
        return dict(json.loads(read["SecretString"]))

    def held(self, secret: str) -> dict[str, Any]:
        """What a consumer reads in Secrets Manager now: `secret` without a request, for those who read often."""
        found: dict[str, Any] = json.loads(self.engine.secret_text(secret))
        return found

    def api_key(self, secret: str) -> str:
        """The key that a consumer finds there."""
        return str(self.held(secret)["api_key"])

    def copied(self, secret: str, region: str) -> list[dict[str, Any]]:
        """What is read in the secret's parameter, and in its replica."""
        parameter = self.engine.client("ssm").get_parameter(Name=f"/{secret}", WithDecryption=True)["Parameter"]
        return [json.loads(parameter["Value"]), json.loads(self.engine.secret_text(secret, region))]

    def complete(self, name: str) -> httpx.Response:
        """One real request with the key that the workload had at first."""
        return self._ask(self.plaintexts[name])

    def asked_with(self, plaintext: str) -> int:
        """The status of one real request with this key."""
        return self._ask(plaintext).status_code

    def _ask(self, plaintext: str) -> httpx.Response:
        return httpx.post(
            f"{self.base_url}/chat/completions",
            headers={"Authorization": f"Bearer {plaintext}"},
            json={"model": MODELS[0], "max_tokens": 16, "messages": [{"role": "user", "content": "Are you there?"}]},
            timeout=30,
        )

    def keys_as_set(self) -> dict[str, dict[str, Any]]:
        """Every key's settings (not its counters), to prove what changed."""
        fields = ("name", "disabled", "limit", "limit_reset", "include_byok_in_limit", "workspace_id")
        return {key.name: {field: getattr(key, field) for field in fields} for key in self.simulator.organization.keys}

    def _consume(self, until: datetime) -> None:
        for consumer in self.consumers:
            consumer.until(max(until, self.now))

    def _spend(self, minute: int) -> None:
        start, self.metered_until = self.metered_until, minute
        for traffic in self.traffic.values():
            habit, loops = traffic.between(start, minute)
            for usd, model, app in ((habit, MODELS[0], "service"), (loops, MODELS[1], "agent-runner")):
                if usd > 0:
                    requests = max(1, int(usd * 50))
                    self.simulator.spend(traffic.hash, usd, requests=requests, model=model, app=app, byok=None)


@contextlib.contextmanager
def open_world(
    folder: Path,
    parameters: Mapping[str, str] | None = None,
    account: Founding | None = None,
    own_secrets: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[World]:
    """The world on the morning Governor is installed; `folder` takes the built stack with the account's policy.

    `account`: the organization of the night where none is given. `own_secrets`: more that Governor reads, by name.
    """
    account = account or founding()
    past = [(account.installed - account.history).timestamp()]
    simulator = Simulator(MANAGEMENT_KEY, clock=lambda: past[0] if past else time.time(), credits=1_000_000.0)
    made, plaintexts = _found(simulator, account)
    slack = SlackSimulator(SLACK_TOKEN, channels={CHANNEL: "governor"})
    with simulator.serve() as base_url, slack.serve() as slack_url:
        policy = folder / "policy.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        policy.write_text(account.policy(base_url))
        stack = build.with_policy(policy, folder / "stack")
        chosen = {
            "Arch": build.ARCH,
            "SlackApiUrl": slack_url,
            "SlackSecretName": "governor/slack",
            "RequestsPerSecond": "200",  # pacing sleeps in real time, which virtual time cannot shorten
            **(parameters or {}),
        }
        existing = {
            "governor/openrouter-management-key": json.dumps({"api_key": MANAGEMENT_KEY}),
            "governor/slack": json.dumps({"bot_token": SLACK_TOKEN}),
            "governor/slack-signing": json.dumps({"signing_secret": SIGNING_SECRET}),
            **own_secrets,
            **{secret: json.dumps({"api_key": plaintexts[key]}) for secret, key in account.secrets.items()},
        }
        with Engine.deploy(stack, parameters=chosen, secrets=existing, start=account.installed) as engine:
            past.clear()
            if "SlackRequestUrl" in engine.outputs:
                slack.connect(engine.outputs["SlackRequestUrl"], SIGNING_SECRET)
            world = World(simulator, slack, engine, base_url)
            world.traffic, world.plaintexts = made, plaintexts
            world.metered_until = int(account.installed.timestamp()) // 60
            yield world


def _found(simulator: Simulator, account: Founding) -> tuple[dict[str, Traffic], dict[str, str]]:
    """Makes the workspaces and keys, and replays what they spent in the account's history, hour by hour."""
    for slug in account.workspaces:
        simulator.organization.create_workspace(slug.replace("-", " ").title(), slug)
    traffic: dict[str, Traffic] = {}
    plaintexts: dict[str, str] = {}
    for number, one in enumerate(account.keys):
        key, plaintexts[one.name] = simulator.create_key(
            one.name,
            workspace=one.workspace,
            limit=one.limit_usd,
            limit_reset=one.limit_reset,
            include_byok_in_limit=one.include_byok,
        )
        habit = Profile(one.profile, one.spent_usd, seed=number)
        traffic[one.name] = _replay(simulator, key.hash, habit, one, account)
    return traffic, plaintexts


def _replay(simulator: Simulator, key_hash: str, habit: Profile, key: KeyOfOrganization, account: Founding) -> Traffic:
    """Spends exactly `key.spent_usd` in the habit's own rhythm, and goes on in it."""
    first = int((account.installed - account.history).timestamp()) // 86400
    hours = {
        (first + day) * 24 + hour: sum(habit.day(first + day)[hour * 60 : hour * 60 + 60])
        for day in range(account.history.days)
        for hour in range(24)
    }
    drawn = sum(hours.values())
    if not drawn:  # a month in which this key happened to idle: draw another
        return _replay(simulator, key_hash, replace(habit, seed=habit.seed + 1000), key, account)
    scale = key.spent_usd / drawn
    for hour, usd in hours.items():
        if usd:
            at = hour * 3600 + 1800
            simulator.spend(key_hash, usd * scale, at=at, app="service", model=MODELS[0], byok=key.byok)
    return Traffic(key_hash, habit, scale)

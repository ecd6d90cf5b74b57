"""What a visitor may do to the account, to OpenRouter, to Slack and to Governor itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from governor.byok_marks import mark_of
from sandbox.openrouter.identities import hash_of
from sandbox.play.organization import DECLARED, SECRETS
from sandbox.scenario.publishing import PRODUCTION, save
from sandbox.scenario.world import World
from sandbox.traffic import Loop

METER_FUNCTION = "SpendMeterFunction"
RUNAWAY_USD_PER_HOUR, LEAK_USD_PER_HOUR = 500.0, 4.0


class NoSuchTrouble(LookupError):
    """There is no trouble or target of this name; the message says what there is."""


@dataclass
class Standing:
    """A trouble that lasts until it is ended. `since`: epoch seconds."""

    id: int
    name: str
    title: str
    target: str
    since: float
    end: Callable[[], None]


@dataclass
class Stage:
    """The world and what stands in it. `credentials`: ids of provider keys by `workload/name`."""

    world: World
    credentials: Mapping[str, str]
    standing: list[Standing] = field(default_factory=list)
    meter_is_killed: bool = False
    _made: int = 0

    def begin(self, name: str, target: str = "") -> str:
        """Begins the trouble; what was done, in a sentence. Raises `NoSuchTrouble`."""
        trouble = TROUBLES.get(name)
        if trouble is None:
            raise NoSuchTrouble(f"there is no trouble {name!r}: {', '.join(TROUBLES)}")
        targets = trouble.targets(self)
        if targets and target not in targets:
            raise NoSuchTrouble(f"{trouble.title}: {target!r} is none of {', '.join(targets)}")
        chosen = target if targets else ""
        if any((one.name, one.target) == (name, chosen) for one in self.standing):
            raise NoSuchTrouble(f"{trouble.title}: it is under way already")
        for old in [one for one in self.standing if trouble.replaces and one.name in trouble.replaces]:
            self.end(old.id)
        end = trouble.begin(self, chosen)
        if end is not None:
            self._made += 1
            now = self.world.now.timestamp()
            self.standing.append(Standing(self._made, name, trouble.title, chosen, now, end))
        return f"{trouble.title}{f' ({chosen})' if chosen else ''}: {trouble.says}"

    def end(self, id: int) -> str:
        """Ends a standing trouble. Raises `NoSuchTrouble`."""
        found = next((one for one in self.standing if one.id == id), None)
        if found is None:
            raise NoSuchTrouble("this trouble has ended already")
        found.end()
        self.standing.remove(found)
        return f"Ended: {found.title}{f' ({found.target})' if found.target else ''}."

    def end_all(self) -> None:
        for one in list(self.standing):
            self.end(one.id)

    def before_step(self) -> None:
        """Before time passes: services read their secrets again, and a meter that is to be killed is marked."""
        for workload, secret in SECRETS.items():
            hash = hash_of(self.world.api_key(secret))
            if self.world.simulator.organization.keys.get(hash) is not None:
                self.world.traffic[workload].hash = hash
        if self.meter_is_killed:
            self.world.engine.faults.kill_during_call(METER_FUNCTION, "s3:PutObject", takes_effect=False)

    def view(self) -> dict[str, Any]:
        return {
            "kinds": [
                {"name": name, "title": one.title, "says": one.says, "targets": one.targets(self)}
                for name, one in TROUBLES.items()
            ],
            "standing": [
                {"id": one.id, "name": one.name, "title": one.title, "target": one.target, "since": one.since}
                for one in self.standing
            ],
        }


@dataclass(frozen=True)
class Trouble:
    """`begin` does it and answers how to end it, None where it is over at once. `replaces`: troubles of these names end
    first."""

    title: str
    says: str
    begin: Callable[[Stage, str], Callable[[], None] | None]
    targets: Callable[[Stage], list[str]] = lambda _: []
    replaces: tuple[str, ...] = ()


def _keys(stage: Stage) -> list[str]:
    return list(stage.world.traffic)


def _credentials(stage: Stage) -> list[str]:
    return list(stage.credentials)


def _loops(usd_per_hour: float) -> Callable[[Stage, str], Callable[[], None]]:
    def begin(stage: Stage, target: str) -> Callable[[], None]:
        world = stage.world
        loop = Loop(usd_per_hour, int(world.now.timestamp()) // 60)
        loops = world.traffic[target].loops
        loops.append(loop)

        def end() -> None:
            place = next(number for number, one in enumerate(loops) if one is loop)
            loops[place] = replace(loop, end=int(world.now.timestamp()) // 60)

        return end

    return begin


def _leaks(stage: Stage, target: str) -> None:
    world = stage.world
    subject = target if target in DECLARED else world.hash(target)
    detail = {"subject": subject, "reason": "found in a public repository", "evidence": {"source": "secret scanning"}}
    world.put_event("Key Exposed", detail, "security.scanner")


def _provider_key_dies(stage: Stage, target: str) -> Callable[[], None]:
    simulator, id = stage.world.simulator, stage.credentials[target]
    simulator.trouble(credential=id, trouble="revoked")

    def end() -> None:
        simulator.trouble(credential=id)
        with simulator.lock:
            credential = simulator.organization.credentials.get(id)
            if credential is not None and mark_of(str(credential.settings["name"])):
                credential.label = "fak...new1"  # as OpenRouter shows a key that was replaced

    return end


def _preset_is_edited(stage: Stage, _target: str) -> None:
    save(stage.world, PRODUCTION, "Do as you please.", temperature=1.9)


def _openrouter(path: str, mode: str, **more: Any) -> Callable[[Stage, str], Callable[[], None]]:
    def begin(stage: Stage, _target: str) -> Callable[[], None]:
        simulator = stage.world.simulator
        simulator.fault(path, mode, times=None, **more)
        return simulator.faults.clear

    return begin


def _slack_is_down(stage: Stage, _target: str) -> Callable[[], None]:
    stage.world.slack.fault("*", "server_error", times=0)
    return stage.world.slack.api.faults.clear


def _meter_is_killed(stage: Stage, _target: str) -> Callable[[], None]:
    stage.meter_is_killed = True

    def end() -> None:
        stage.meter_is_killed = False

    return end


_OPENROUTER = ("openrouter_down", "openrouter_429", "openrouter_stale")
TROUBLES: dict[str, Trouble] = {
    "loop": Trouble(
        "A $500-an-hour loop", "an agent calls itself without end on this key.", _loops(RUNAWAY_USD_PER_HOUR), _keys
    ),
    "slow_leak": Trouble(
        "A slow leak", "this key spends $4 an hour more than it should.", _loops(LEAK_USD_PER_HOUR), _keys
    ),
    "leaked_key": Trouble("A leaked key", "a scanner found this key in a public repository.", _leaks, _keys),
    "dead_provider_key": Trouble(
        "A dead provider key", "the provider refuses this key of our own.", _provider_key_dies, _credentials,
    ),
    "preset_edit": Trouble(
        "An edit of the production preset", "somebody saves it by hand, with nobody's yes.", _preset_is_edited
    ),
    "openrouter_down": Trouble(
        "OpenRouter is down", "its management API answers 503; models still serve, and spend.",
        _openrouter(".*", "503"), replaces=_OPENROUTER,
    ),
    "openrouter_429": Trouble(
        "OpenRouter answers 429", "lists of keys are refused: too many requests.",
        _openrouter("/keys", "429", retry_after=1), replaces=_OPENROUTER,
    ),
    "openrouter_stale": Trouble(
        "OpenRouter's counters stand still", "lists of keys are as they were a moment ago.",
        _openrouter("/keys", "stale_list"), replaces=_OPENROUTER,
    ),
    "slack_down": Trouble("Slack is down", "every call of Slack's API fails.", _slack_is_down),
    "meter_killed": Trouble(
        "The meter is killed", "every minute its process dies before it has saved what it read.", _meter_is_killed
    ),
}  # fmt: skip

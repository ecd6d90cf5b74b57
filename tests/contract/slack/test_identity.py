"""One suite over the directory in memory and the adapter at the simulator; then what only the adapter can suffer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.responses import HTMLResponse, Response
from pydantic import SecretStr

from governor.secrets import SecretMalformed, SecretUnavailable
from governor.slack.channel import SlackError, SlackRateLimited, SlackRefused, SlackUnavailable
from governor.slack.identity import Directory, Installation, Person, SlackDirectory, installation, person
from governor.slack.memory import MemoryDirectory
from sandbox.slack import SlackSimulator
from sandbox.slack.workspace import TEAM

USER, ORG = "U0SOMEBODY", "E0ORG"


class Memory:
    """In memory, told by the same words as the simulator."""

    def __init__(self) -> None:
        self.held = MemoryDirectory(Installation(TEAM))

    @property
    def directory(self) -> Directory:
        return self.held

    def describe(self, **facts: Any) -> None:
        teams = facts.get("teams") or (facts.get("team") or TEAM,)
        self.held.people[USER] = Person(
            USER,
            frozenset(teams) if facts.get("shown", True) else frozenset(),
            facts.get("enterprise", ""),
            deactivated=facts.get("deleted", False),
            bot=facts.get("bot", False),
            stranger=facts.get("stranger", False) or not facts.get("shown", True),
            guest=None if {"deleted", "stranger", "shown"} & facts.keys() else bool(facts.get("guest")),
        )

    def install(self, **where: Any) -> None:
        team = "" if where.get("org_wide") else where.get("team", TEAM)
        self.held.home = Installation(team, where.get("enterprise", ""), where.get("org_wide", False))


@dataclass
class Simulated:
    """The adapter before the simulator."""

    simulator: SlackSimulator
    url: str
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    token: str = "xoxb-fake"
    directory: SlackDirectory = field(init=False)

    def __post_init__(self) -> None:
        self.directory = SlackDirectory(lambda: SecretStr(self.token), lambda: self.now, self.url)

    def describe(self, **facts: Any) -> None:
        self.simulator.person(USER, **facts)

    def install(self, **where: Any) -> None:
        self.simulator.install(**where)


@pytest.fixture
def simulated() -> Iterator[Simulated]:
    simulator = SlackSimulator("xoxb-fake")
    with simulator.serve() as url:
        yield Simulated(simulator, url)


@pytest.fixture(params=["memory", "simulator"])
def scene(request: pytest.FixtureRequest) -> Any:
    return Memory() if request.param == "memory" else request.getfixturevalue("simulated")


PEOPLE: dict[str, tuple[dict[str, Any], Person]] = {
    "a full member": ({}, Person(USER, frozenset({TEAM}), guest=False)),
    "a multi-channel guest": ({"guest": "multi"}, Person(USER, frozenset({TEAM}), guest=True)),
    "a single-channel guest": ({"guest": "single"}, Person(USER, frozenset({TEAM}), guest=True)),
    "a bot": ({"bot": True}, Person(USER, frozenset({TEAM}), bot=True, guest=False)),
    "deactivated": ({"deleted": True}, Person(USER, frozenset({TEAM}), deactivated=True)),
    "a stranger": ({"stranger": True, "team": "T0X"}, Person(USER, frozenset({"T0X"}), stranger=True)),
    "of a connected workspace": ({"team": "T0X"}, Person(USER, frozenset({"T0X"}), guest=False)),
    "not shown": ({"shown": False}, Person(USER, stranger=True)),
    "of two workspaces of an organization": (
        {"teams": (TEAM, "T0TWO"), "enterprise": ORG}, Person(USER, frozenset({TEAM, "T0TWO"}), ORG, guest=False),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "expected"), PEOPLE.values(), ids=PEOPLE)
def test_a_person_is_what_slack_says(scene: Any, facts: dict[str, Any], expected: Person) -> None:
    scene.describe(**facts)
    found = scene.directory.look_up(USER)
    assert (found.person, found.home, found.unread) == (expected, Installation(TEAM), None)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"team": "T0APPS"}, Installation("T0APPS")),
        ({"enterprise": ORG}, Installation(TEAM, ORG)),
        ({"enterprise": ORG, "org_wide": True}, Installation("", ORG, org_wide=True)),
    ],
)
def test_the_app_is_where_slack_says(scene: Any, where: dict[str, Any], expected: Installation) -> None:
    scene.install(**where)
    assert scene.directory.look_up(USER).home == expected


FAULTS: dict[str, tuple[dict[str, Any], type[SlackError], str]] = {
    "no answer, for good": ({"kind": "fail_after", "times": 0}, SlackUnavailable, "no answer"),
    "a server error, for good": ({"kind": "server_error", "times": 0}, SlackUnavailable, "500"),
    "too many calls": ({"kind": "rate_limited", "retry_after": 30}, SlackRateLimited, "30 s"),
    "another error": ({"kind": "refused", "error": "token_revoked"}, SlackRefused, "token_revoked"),
}


@pytest.mark.parametrize("method", ["users.info", "auth.test"])
@pytest.mark.parametrize(("fault", "kind", "said"), FAULTS.values(), ids=FAULTS)
def test_what_slack_does_not_answer_is_said_with_what_it_said_last(
    simulated: Simulated, method: str, fault: dict[str, Any], kind: type[SlackError], said: str
) -> None:
    simulated.describe(guest="multi")
    simulated.simulator.fault(method, **fault)
    first = simulated.directory.look_up(USER)
    assert isinstance(first.unread, kind)
    assert said in str(first.unread)
    assert first.person is None
    simulated.simulator.api.faults.clear()
    assert simulated.directory.look_up(USER).unread is None
    simulated.now += timedelta(hours=2)
    simulated.simulator.fault(method, **fault)
    last = simulated.directory.look_up(USER)
    assert isinstance(last.unread, kind)
    assert last.home == Installation(TEAM)
    assert last.person
    assert last.person.guest


@pytest.mark.parametrize("method", ["users.info", "auth.test"])
@pytest.mark.parametrize("kind", ["fail_before", "fail_after", "server_error"])
def test_one_answer_that_was_lost_is_asked_for_again(simulated: Simulated, method: str, kind: str) -> None:
    simulated.simulator.fault(method, kind)
    assert simulated.directory.look_up(USER).unread is None


def test_without_the_scope_slack_says_which_is_missing(simulated: Simulated) -> None:
    simulated.simulator.workspace.membership.scopes.discard("users:read")
    unread = simulated.directory.look_up(USER).unread
    assert isinstance(unread, SlackRefused)
    assert (unread.error, "users:read" in unread.remedy) == ("missing_scope", True)


def test_a_person_is_asked_about_again_after_a_minute(simulated: Simulated) -> None:
    assert simulated.directory.look_up(USER).person == PEOPLE["a full member"][1]
    simulated.describe(guest="single")
    simulated.now += timedelta(seconds=59)
    assert simulated.directory.look_up(USER).person == PEOPLE["a full member"][1]
    simulated.now += timedelta(seconds=1)
    assert simulated.directory.look_up(USER).person == PEOPLE["a single-channel guest"][1]


def test_another_token_is_asked_about_anew_and_nothing_of_the_former_one_is_remembered(simulated: Simulated) -> None:
    simulated.directory.look_up(USER)
    simulated.token = simulated.simulator.api.token = "xoxb-fake-other"
    simulated.install(team="T0OTHER")
    simulated.simulator.fault("users.info", "refused", error="invalid_auth")
    found = simulated.directory.look_up(USER)
    assert (found.home, found.person) == (Installation("T0OTHER"), None)


@pytest.mark.parametrize(
    ("error", "kind"), [(SecretMalformed("no field"), SlackRefused), (SecretUnavailable("no secret"), SlackUnavailable)]
)
def test_a_token_that_cannot_be_read_is_no_answer(error: Exception, kind: type[SlackError]) -> None:
    def token() -> SecretStr:
        raise error

    directory = SlackDirectory(token, lambda: datetime(2026, 3, 1, tzinfo=UTC), "http://localhost:9/api/")
    assert isinstance(directory.look_up(USER).unread, kind)


def test_what_is_remembered_is_bounded(simulated: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlackDirectory, "MOST_REMEMBERED", 2)
    for number in range(5):
        simulated.directory.look_up(f"U0N{number}")
    assert len(simulated.directory._people) <= 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"user": None},
        {"user": {"id": "U0OTHER", "is_restricted": False, "is_ultra_restricted": False}},
    ],
)
def test_an_answer_about_nobody_or_somebody_else_is_no_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(SlackRefused):
        person(USER, answer)


@pytest.mark.parametrize(
    "flags", [{}, {"is_restricted": False}, {"is_restricted": None, "is_ultra_restricted": False}, {"is_restricted": 0}]
)
def test_who_is_not_said_to_be_no_guest_may_be_one(flags: dict[str, Any]) -> None:
    assert person(USER, {"user": {"id": USER, "team_id": TEAM, **flags}}).guest is None


@pytest.mark.parametrize("flag", ["is_bot", "is_workflow_bot", "is_connector_bot"])
def test_every_kind_of_bot_is_one_and_whoever_authorized_the_app_is_none(flag: str) -> None:
    assert person(USER, {"user": {"id": USER, flag: True}}).bot
    assert person("USLACKBOT", {"user": {"id": "USLACKBOT", "is_bot": False}}).bot
    assert not person(USER, {"user": {"id": USER, "is_app_user": True}}).bot


@pytest.mark.parametrize(
    "answer", [{}, {"team_id": None}, {"is_enterprise_install": True, "team_id": TEAM}, {"team_id": 7}]
)
def test_an_app_that_is_nowhere_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(SlackRefused, match="no_team"):
        installation(answer)


def test_an_answer_that_is_no_json_is_no_answer_and_no_error_code(simulated: Simulated) -> None:
    """A proxy's page, or an answer that was cut off: slack_sdk puts a sentence where the code stands."""
    page = HTMLResponse("<html>Sign in to the network</html>")
    simulated.simulator.api.suffering = _always(page)  # type: ignore[method-assign]
    unread = simulated.directory.look_up(USER).unread
    assert isinstance(unread, SlackUnavailable)


def _always(answer: Response) -> Any:
    async def suffering(*_: object) -> Response:
        return answer

    return suffering

"""Who somebody is, and where the app is installed, as Slack's Web API says it. A request's body names people, and does
not say who is a guest.

Sources: https://docs.slack.dev/reference/methods/users.info and /reference/methods/auth.test, the user object
(https://docs.slack.dev/reference/objects/user-object), and for organizations of Enterprise Grid
https://docs.slack.dev/enterprise. `is_stranger` is false for a member of another workspace with whom a channel is
shared, so the person's workspaces have to be compared too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr

from governor.clock import Clock
from governor.slack.channel import SlackError, SlackRefused, SlackUnavailable, called, current

SLACKBOT = "USLACKBOT"
"""Slack's own bot. Slack does not mark it as one."""
_NOBODY = frozenset({"user_not_found", "user_not_visible"})
_UNCLEAR = 'Slack\'s answer lacks what Governor needs to know: see docs/operations.md, "Who may use Governor in Slack".'


@dataclass(frozen=True)
class Installation:
    """Where the app's bot token is valid. `team`: the workspace's id. `enterprise`: the organization's id, empty
    outside of Enterprise Grid. `org_wide`: the app is installed in the whole organization; `team` then says nothing."""

    team: str
    enterprise: str = ""
    org_wide: bool = False


@dataclass(frozen=True)
class Person:
    """A Slack user. `teams`: ids of the workspaces that the person belongs to. `stranger`: Slack does not show the
    person to the app, or says that they are of another workspace. `guest`: a single- or multi-channel guest; None where
    Slack does not say."""

    id: str
    teams: frozenset[str] = frozenset()
    enterprise: str = ""
    deactivated: bool = False
    bot: bool = False
    stranger: bool = False
    guest: bool | None = None


@dataclass(frozen=True)
class Identity:
    """What Slack says. `unread`: why it did not answer now; `home` and `person` are then what it said last, if ever."""

    home: Installation | None
    person: Person | None
    unread: SlackError | None = None


class Directory(Protocol):
    """Where people are looked up."""

    def look_up(self, user: str) -> Identity:
        """The person, and where the app is installed. Never raises: `Identity.unread` says what failed."""


class SlackDirectory:
    """`Directory` over slack_sdk, remembered for a short time in this container's memory.

    Needs the scope `users:read`. A read that got no answer is repeated once: it changes nothing at Slack.
    """

    PERSON_MAX_AGE = timedelta(minutes=1)
    HOME_MAX_AGE = timedelta(hours=1)
    """Where a token is valid does not change; another token is asked about anew."""
    TIMEOUT_SECONDS = 2
    MOST_REMEMBERED = 1000

    def __init__(self, token: Callable[[], SecretStr], clock: Clock, base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._clock = clock
        self._base_url = base_url
        self._home: tuple[datetime, SecretStr, Installation] | None = None
        self._people: dict[str, tuple[datetime, Person]] = {}

    def look_up(self, user: str) -> Identity:
        try:
            try:
                return self._read(user)
            except SlackUnavailable:
                return self._read(user)
        except SlackError as error:
            known = self._people.get(user)
            return Identity(self._home[2] if self._home else None, known[1] if known else None, error)

    def _read(self, user: str) -> Identity:
        return Identity(self._installation(), self._person(user))

    def _installation(self) -> Installation:
        now, token = self._clock(), current(self._token)
        if self._home and self._home[1] == token and now - self._home[0] < self.HOME_MAX_AGE:
            return self._home[2]
        if self._home and self._home[1] != token:
            # Another token may be of another workspace: what was said under the former one holds no longer.
            self._home = None
            self._people.clear()
        home = installation(self._ask(lambda client: client.auth_test()))
        self._home = (now, token, home)
        return home

    def _person(self, user: str) -> Person:
        now = self._clock()
        known = self._people.get(user)
        if known and now - known[0] < self.PERSON_MAX_AGE:
            return known[1]
        try:
            found = person(user, self._ask(lambda client: client.users_info(user=user)))
        except SlackRefused as error:
            if error.error not in _NOBODY:
                raise
            found = Person(user, stranger=True)
        if len(self._people) >= self.MOST_REMEMBERED:
            self._people.clear()
        self._people[user] = (now, found)
        return found

    def _ask(self, ask: Callable[[Any], Any]) -> Mapping[str, Any]:
        answer = called(ask, self._token, self._base_url, "", self.TIMEOUT_SECONDS)
        if not isinstance(answer, Mapping):
            raise SlackUnavailable("Slack's answer is not an object")
        return answer


def installation(answer: Mapping[str, Any]) -> Installation:
    """What `auth.test` answered. Raises `SlackRefused` when it names neither a workspace nor an organization."""
    org_wide = answer.get("is_enterprise_install") is True
    home = Installation(_text(answer.get("team_id")), _text(answer.get("enterprise_id")), org_wide)
    if not (home.enterprise if org_wide else home.team):
        raise SlackRefused("no_team", _UNCLEAR)
    return home


def person(user: str, answer: Mapping[str, Any]) -> Person:
    """What `users.info` answered. Raises `SlackRefused` for an answer about nobody, or about somebody else."""
    held = answer.get("user")
    if not isinstance(held, Mapping) or held.get("id") != user:
        raise SlackRefused("no_user", _UNCLEAR)
    organization = held.get("enterprise_user")
    in_org: Mapping[str, Any] = organization if isinstance(organization, Mapping) else {}
    listed = in_org.get("teams")
    teams = {_text(held.get("team_id")), *map(_text, listed if isinstance(listed, list) else ())} - {""}
    flags = (held.get("is_restricted"), held.get("is_ultra_restricted"))
    known = all(isinstance(flag, bool) for flag in flags)
    return Person(
        id=user,
        teams=frozenset(teams),
        enterprise=_text(in_org.get("enterprise_id")),
        deactivated=held.get("deleted") is True,
        bot=user == SLACKBOT
        or any(held.get(name) is True for name in ("is_bot", "is_workflow_bot", "is_connector_bot")),
        stranger=held.get("is_stranger") is True,
        guest=True if True in flags else False if known else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

"""Who is a full member of the workspace or organization in which the app is installed; nobody else may use Governor.

Pure. The first rule that applies refuses:
 1. `elsewhere`     the request comes from another workspace or organization than the one the app is installed in
 2. `outsider`      the person is of another workspace or organization (Slack Connect), or Slack does not know them
 3. `deactivated`, `bot`, `guest`

Why: docs/decisions, "Slack says who somebody is".
"""

from dataclasses import dataclass

from governor.slack.channel import SlackError, SlackRefused
from governor.slack.identity import Identity, Installation, Person
from governor.slack.requests import SlackRequest

FULL_MEMBERS = "Only full members of the workspace in which Governor is installed can use it."


@dataclass(frozen=True)
class Refusal:
    """`said`: why not, to the person."""

    rule: str
    said: str


def refusal(request: SlackRequest, identity: Identity) -> Refusal | None:
    """Why the person may not, by the rules above; None where none applies to what Slack has said."""
    return _elsewhere(request, identity.home) or _unfit(request, identity)


def unknown(identity: Identity) -> SlackError | None:
    """Why Slack has not said who the person is; None where it has, all of it."""
    if identity.unread is not None:
        return identity.unread
    if identity.person and identity.person.guest is not None:
        return None
    return SlackRefused("no_guest_flags", 'See docs/operations.md, "Who may use Governor in Slack".')


def _elsewhere(request: SlackRequest, home: Installation | None) -> Refusal | None:
    if home is None:
        return None
    here = request.enterprise == home.enterprise if home.org_wide else request.team == home.team
    return None if here else Refusal("elsewhere", f"Nothing was done. {FULL_MEMBERS}")


def _unfit(request: SlackRequest, identity: Identity) -> Refusal | None:
    person, home = identity.person, identity.home
    if person is None:
        return None
    if person.stranger or (home and not _belongs(request, person, home)):
        return Refusal("outsider", f"Nothing was done: you belong to another workspace. {FULL_MEMBERS}")
    if person.deactivated:
        return Refusal("deactivated", "Nothing was done: your Slack account is deactivated.")
    if person.bot:
        return Refusal("bot", "Nothing was done: bots and workflows cannot use Governor.")
    if person.guest:
        return Refusal("guest", f"Nothing was done: you are a guest in this workspace. {FULL_MEMBERS} Ask one of them.")
    return None


def _belongs(request: SlackRequest, person: Person, home: Installation) -> bool:
    """Whether Slack's API and the request both say that the person is of the app's workspace or organization.

    An id is unique within a workspace only: the request's word keeps a namesake from another workspace out.
    """
    ours = person.enterprise == home.enterprise if home.org_wide else home.team in person.teams
    same = request.user_team in person.teams or (bool(person.enterprise) and request.user_team == person.enterprise)
    return ours and same

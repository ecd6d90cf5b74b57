"""Everything that can be typed, clicked or submitted, by every kind of Slack user: only full members get through.

The lists come from the code, so a new command, button or modal is tried too.
"""

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from approval_desk.admission import FREE
from approval_desk.parsing import _SUBJECTS, USAGE, Verb, command_of
from governor.slack.channel import SlackError, SlackRateLimited, SlackRefused, SlackUnavailable
from governor.slack.identity import Installation, Person
from governor.slack.requests import SlackRequest
from tests.unit.approval_desk.desk import (
    ANYBODY,
    FORMER,
    LEAD,
    NOW,
    OWNER,
    PRESET,
    SEC,
    TEAM,
    WORKLOAD,
    Desk,
    click,
    command,
)

ORG, ELSEWHERE = "E0ORG", "T0ELSEWHERE"
HOME = frozenset({TEAM})


def _words(word: str) -> str:
    words = {
        "<workload>": WORKLOAD,
        "[<cause>]": "runaway",
        "<preset>": PRESET,
        "<workspace>": "production",
        "<scope>": "all",
    }
    return " ".join([word, *(words.get(place, "anthropic") for place in USAGE[word].split())])


def _value(action: str, desk: Desk) -> dict[str, str]:
    held = {
        "subject": WORKLOAD, "preset": PRESET, "cause": "runaway", "promotion": "p1", "version": "7", "reason": "no",
        "back": FORMER, "order": "request-restore", "member": "user_ana", "departure": "departure-1",
    }  # fmt: skip
    return held | desk.asked()


def _everything(desk: Desk, user: str, **where: Any) -> Iterator[tuple[str, SlackRequest]]:
    """One request for each command, each button, and each modal that a button's action may come back as."""
    for number, word in enumerate(USAGE):
        yield f"/governor {word}", command(user, _words(word), n=number, **where)
    yield "/governor rotate all", command(user, "rotate all because leaked", **where)
    for number, action in enumerate(_SUBJECTS):
        yield action, click(user, action, _value(action, desk), n=number, **where)
        yield f"{action} (modal)", click(user, action, _value(action, desk), n=number, kind="modal", **where)


def _acts(request: SlackRequest) -> bool:
    return command_of(request).verb not in FREE


OUTSIDERS: dict[str, tuple[Person, str]] = {
    "a multi-channel guest": (Person("", HOME, guest=True), "guest"),
    "a bot": (Person("", HOME, bot=True, guest=False), "bot"),
    "somebody deactivated": (Person("", HOME, deactivated=True), "deactivated"),
    "a stranger": (Person("", frozenset({ELSEWHERE}), stranger=True), "outsider"),
    "a member of a connected workspace": (Person("", frozenset({ELSEWHERE}), guest=False), "outsider"),
    "somebody whom Slack does not know": (Person("", stranger=True), "outsider"),
    "somebody of whom Slack says too little": (Person("", HOME), "unread"),
}


def _world(**policy: Any) -> Desk:
    desk = Desk(**policy)
    desk.disabled("runaway")
    return desk


def _nothing_happened(desk: Desk) -> None:
    assert desk.bus.events == []
    assert desk.state() == "pending"
    assert desk.decisions._rows == {}
    assert desk.slack.views == []
    assert desk.ledger.get("detector", f"{WORKLOAD}#expected") is None


def test_the_entrances_tried_here_are_all_there_are() -> None:
    desk = _world()
    tried = {command_of(request).verb for _, request in _everything(desk, LEAD)}
    assert tried == set(get_args(Verb)) - {"hint"}


@pytest.mark.parametrize("user", [ANYBODY, OWNER, LEAD])
@pytest.mark.parametrize(("person", "rule"), OUTSIDERS.values(), ids=OUTSIDERS)
def test_who_is_no_full_member_does_nothing_by_any_entrance(person: Person, rule: str, user: str) -> None:
    """However much the policy names them."""
    desk = _world()
    desk.directory.people[user] = person
    for name, request in _everything(desk, user):
        if not _acts(request):
            continue
        emergency = rule == "unread" and (
            (command_of(request).verb == "disable" and user in (OWNER, LEAD))
            or (command_of(request).verb in ("status", "keys") and user == LEAD)
        )
        if emergency:
            continue
        assert desk.does(request) == rule, name
        assert desk.said.startswith("Nothing was done"), name
    _nothing_happened(desk)


def test_a_full_member_gets_through_by_every_entrance() -> None:
    """Or the tests beside this one would pass for another reason."""
    for name, request in _everything(_world(), LEAD):
        desk = _world()
        desk.asked()
        rule = desk.does(request)
        assert rule not in {"guest", "bot", "deactivated", "outsider", "elsewhere", "unread"}, name


@pytest.mark.parametrize("own", [ELSEWHERE, ""])
def test_whose_request_names_another_workspace_or_none_does_nothing(own: str) -> None:
    """Ids of users are unique within a workspace only: Slack's API may know a namesake."""
    desk = _world()
    for name, request in _everything(desk, LEAD, team=own):
        if _acts(request):
            assert desk.does(request) == "outsider", name
    _nothing_happened(desk)


def test_what_comes_from_another_workspace_than_the_apps_is_refused() -> None:
    desk = _world()
    desk.directory.home = Installation("T0APPS")
    for name, request in _everything(desk, LEAD):
        if _acts(request):
            assert desk.does(request) == "elsewhere", name
    _nothing_happened(desk)


UNREAD: dict[str, SlackError] = {
    "no answer": SlackUnavailable("no answer from Slack"),
    "too many calls": SlackRateLimited(30),
    "no scope": SlackRefused("missing_scope", "Give the app the scope users:read and install it again."),
    "no token": SlackRefused("invalid_auth", "Put the app's bot token into the Slack secret."),
}


@pytest.mark.parametrize("error", UNREAD.values(), ids=UNREAD)
def test_when_slack_does_not_say_who_somebody_is_nobody_acts_but_who_is_named_disables(error: Any) -> None:
    desk = _world()
    desk.directory.unread = error
    for user in (ANYBODY, OWNER, LEAD):
        for name, request in _everything(desk, user):
            verb = command_of(request).verb
            named = (verb == "disable" and user in (OWNER, LEAD)) or (verb in ("status", "keys") and user == LEAD)
            if _acts(request) and not named:
                assert desk.does(request) == "unread", (user, name)
                assert "Slack did not tell Governor who you are" in desk.said
    _nothing_happened(desk)
    assert desk.types(OWNER, f"disable {WORKLOAD}") == "disable"
    assert desk.types(LEAD, "disable " + "b" * 64) == "disable"
    assert desk.types(LEAD, "status") == "status"
    assert [event.evidence["approved_by"] for event in desk.bus.events] == [[OWNER], [LEAD]]


def test_a_missing_scope_is_named_with_what_to_do() -> None:
    desk = _world()
    desk.directory.unread = UNREAD["no scope"]
    desk.types(ANYBODY, f"rotate {WORKLOAD}")
    assert "missing_scope" in desk.said
    assert "Give the app the scope users:read and install it again." in desk.said


def test_who_was_known_to_be_a_guest_disables_nothing_although_slack_is_silent_now() -> None:
    desk = _world()
    desk.directory.people[LEAD] = Person(LEAD, HOME, guest=True)
    assert desk.types(LEAD, f"disable {WORKLOAD}") == "guest"
    desk.directory.unread = UNREAD["no answer"]
    assert desk.types(LEAD, f"disable {WORKLOAD}") == "guest"
    assert desk.bus.events == []


@pytest.mark.parametrize("own", [ELSEWHERE, ""])
def test_who_is_named_disables_from_the_apps_workspace_only_while_slack_is_silent(own: str) -> None:
    desk = _world()
    desk.directory.unread = UNREAD["no answer"]
    assert desk.does(command(LEAD, f"disable {WORKLOAD}", team=own)) == "unread"
    assert desk.bus.events == []


def _org_wide() -> Desk:
    desk = _world()
    desk.directory.home = Installation("", ORG, org_wide=True)
    for user in (LEAD, SEC):
        desk.directory.people[user] = Person(user, frozenset({"T0ONE", "T0TWO"}), ORG, guest=False)
    return desk


def _org_click(user: str, own: str, organization: str = ORG) -> SlackRequest:
    """`team` is null in a click on a message of an app that is installed in an organization."""
    return SlackRequest(
        f"{user} {own} {organization}", int(NOW.timestamp()), "button", user, "", own, "C0", action="disable",
        value={"subject": WORKLOAD}, response_url="https://hooks.slack.com/actions/1", enterprise=organization,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (_org_click(LEAD, "T0ONE"), "disable"),
        (_org_click(LEAD, "T0TWO"), "disable"),
        (_org_click(LEAD, ORG), "disable"),
        (_org_click(LEAD, ELSEWHERE), "outsider"),
        (_org_click(LEAD, "T0ONE", "E0OTHER"), "elsewhere"),
        (_org_click(LEAD, "T0ONE", ""), "elsewhere"),
        (_org_click(ANYBODY, ELSEWHERE), "outsider"),
    ],
)
def test_in_an_app_of_a_whole_organization_its_members_act_and_nobody_else(request_: SlackRequest, rule: str) -> None:
    desk = _org_wide()
    desk.directory.people[ANYBODY] = Person(ANYBODY, frozenset({ELSEWHERE}), "E0OTHER", guest=False)
    assert desk.does(request_) == rule


def test_a_guest_of_the_organization_does_nothing() -> None:
    desk = _org_wide()
    desk.directory.people[LEAD] = Person(LEAD, frozenset({"T0ONE"}), ORG, guest=True)
    assert desk.does(_org_click(LEAD, "T0ONE")) == "guest"


def test_a_colleague_whom_slack_counts_to_another_workspace_of_the_organization_acts_where_they_are_members() -> None:
    """On Enterprise Grid `user.team_id` may be another workspace of the person's than the one they click in."""
    desk = _world()
    desk.directory.home = Installation(TEAM, ORG)
    desk.directory.people[LEAD] = Person(LEAD, frozenset({TEAM, "T0TWO"}), ORG, guest=False)
    desk.directory.people[SEC] = Person(SEC, frozenset({"T0TWO"}), ORG, guest=False)
    assert desk.does(command(LEAD, f"disable {WORKLOAD}", team="T0TWO")) == "disable"
    assert desk.does(command(SEC, f"disable {WORKLOAD}", team="T0TWO")) == "outsider"


def test_help_is_for_everybody_and_asks_slack_nothing() -> None:
    desk = _world()
    desk.directory.unread = UNREAD["no answer"]
    assert desk.types("U0GUEST", "help") == "help"
    assert desk.types("U0GUEST", "hlep") == "hint"
    assert desk.directory.known == set()


BEGUN: dict[str, Callable[[Desk], SlackRequest]] = {
    "a vote": lambda desk: click(LEAD, "approve", desk.asked()),
    "an order": lambda desk: command(LEAD, f"disable {WORKLOAD}"),
    "a request": lambda desk: command(OWNER, f"restore {WORKLOAD}"),
    "an event": lambda desk: command(OWNER, f"rotate {WORKLOAD}"),
    "a snooze": lambda desk: click(OWNER, "expected", {"subject": WORKLOAD}),
}


@pytest.mark.parametrize("scene", BEGUN.values(), ids=BEGUN)
def test_what_was_begun_is_finished_whatever_slack_says_of_the_person_then(scene: Callable[[Desk], Any]) -> None:
    """Else a decision would stand that nobody is told of, and the person would be told that nothing was done."""
    desk = _world()
    request = scene(desk)
    desk.bus.broken = 1
    with pytest.raises(RuntimeError):
        desk.does(request)
    desk.directory.people[request.user] = Person(request.user, HOME, guest=True)
    desk.does(request)
    assert len(desk.bus.events) == 1
    assert "Nothing was done" not in desk.said


@pytest.mark.parametrize("scene", BEGUN.values(), ids=BEGUN)
def test_who_was_refused_stays_refused_for_this_click_and_clicks_anew(scene: Callable[[Desk], Any]) -> None:
    desk = _world()
    request = scene(desk)
    desk.directory.unread = SlackRefused("missing_scope", "")
    desk.directory.home = Installation("T0APPS")  # nobody is named by a policy for another workspace
    desk.directory.known.add(request.user)
    refused = desk.does(request)
    desk.directory.unread, desk.directory.home = None, Installation(TEAM)
    assert desk.does(request) == refused == "elsewhere"
    assert desk.bus.events == []
    assert len(desk.slack.told) == 1

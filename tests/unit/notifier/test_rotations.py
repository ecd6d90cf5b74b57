"""What people read first of keys that are replaced, drained, retired, given back, changed by hand or about to end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.evidence import CredentialRotated, Drain, Drift, Evidence, Expiring, KeyRef, Retired, Rotated
from governor.policy import Policy
from governor.slack.channel import Button
from notifier.case import figures
from notifier.incident import Incident
from notifier.mail import plain
from notifier.wording import words

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
WHO = "prod-search-agent"
OLD, NEW = KeyRef(hash="a" * 64, name=f"{WHO}#1"), KeyRef(hash="b" * 64, name=f"{WHO}#2")
ROTATED: dict[str, Any] = {"name": WHO, "secret": "openrouter/prod/search-agent", "why": "due", "new": NEW, "old": OLD}
DRAIN: dict[str, Any] = {"name": WHO, "key": OLD, "since": NOW, "deadline": NOW + timedelta(days=8)}
DRIFT: dict[str, Any] = {
    "name": WHO,
    "field": "limit",
    "policy": "$200.00 monthly",
    "live": "$500.00 monthly",
    "key": NEW,
}
CREDENTIAL: dict[str, Any] = {
    "name": WHO,
    "workspace": "platform",
    "provider": "anthropic",
    "secret": "providers/anthropic",
    "owner": "cloud-platform",
}
EXPIRING: dict[str, Any] = {"name": "management key", "secret": "governor/key", "since": NOW - timedelta(days=200)}


def read(policy: Policy, kind: DetailType, evidence: Evidence, reason: str, subject: str = WHO) -> list[str]:
    """Every line of the message, plain: headline, facts, what to do."""
    event = Event(kind, "id", subject, NOW, reason, evidence.model_dump(mode="json"))
    said = words(event, policy, figures((event,)))
    return [plain(line) for line in (said.headline, *said.facts, said.todo or "")]


@pytest.mark.parametrize(
    ("kind", "evidence", "lines"),
    [
        ("Rotation Started", Rotated(**ROTATED), ["prod-search-agent is getting a new key."]),
        ("Key Rotated", Rotated(**ROTATED), ["prod-search-agent has a new key"]),
        ("Rotation Failed", Rotated(**ROTATED, step="setSecret", rule="allowlist_full"), ["why it is so"]),
        ("Rotation Rolled Back", Rotated(**ROTATED), ["Find out what was wrong with the new key."]),
        ("Rollback Refused", Rotated(**ROTATED), ["does not get its former key back. why it is so"]),
        ("Drain Blocked", Drain(**DRAIN, top_apps=[("search", 12.0)]),
         ["still uses a key that was replaced", "search (12 requests)", "Point whoever still uses it"]),
        ("Drain Blocked", Drain(**DRAIN, rule="federated"),
         ["It stays enabled, because a federation policy acts as it", "Let the policy act as the new key"]),
        ("Drain Blocked", Drain(**DRAIN, behind=["eu-west-1"]),
         ["stays enabled: a copy of its secret does not hold the new one", "Behind: eu-west-1",
          "Give the copies that are named the new value."]),
        ("Drain Blocked", Drain(**DRAIN, rule="last_key"),
         ["🔴 prod-search-agent has no working key in its secret; its former key is kept", "why it is so",
          "Roll back or rotate"]),
        ("Drain Blocked", Drain(**DRAIN, rule="put_back"),
         ["🟠 The secret of prod-search-agent holds its former key again", "why it is so", "Roll back"]),
        ("Rotation Rolled Back", Rotated(**ROTATED, rule="current_gone", requested_by="governor"),
         ["works with its former key again: somebody deleted the current one", "why it is so", "Ask who deleted it"]),
        ("Key Drifted", Drift(**DRIFT | {"field": "hash", "live": "deleted"}), ["why it is so", "Roll back or rotate"]),
        ("Key Retired", Retired(name=WHO, key=OLD), ["The old key of prod-search-agent is deleted."]),
        ("Orphan Removed", Retired(name=WHO, key=OLD), ["nobody was given is deleted: prod-search-agent#1."]),
        ("Key Drifted", Drift(**DRIFT),
         ["is not as the policy says. why it is so", "Policy: $200.00 monthly", "OpenRouter: $500.00 monthly"]),
        ("Key Drifted", Drift(**DRIFT, repair="Governor sets it back."), ["why it is so", "Governor sets it back."]),
        ("Credential Rotated", CredentialRotated(**CREDENTIAL, proof="served"),
         ["🟢 The BYOK credential prod-search-agent has a new key. Owner: cloud-platform.", "why it is so"]),
        ("Credential Rotated", CredentialRotated(**CREDENTIAL, proof="unknown"), ["🟡 The BYOK credential"]),
        ("Credential Rotation Failed", CredentialRotated(**CREDENTIAL, rule="refused_by_provider"),
         ["did not get its new key", "why it is so", "then put the key into secret providers/anthropic again"]),
    ],
)  # fmt: skip
def test_the_message_says_what_happened_and_what_to_do(
    policy: Policy, kind: str, evidence: Evidence, lines: list[str]
) -> None:
    said = "\n".join(read(policy, DetailType(kind), evidence, "why it is so"))
    for line in lines:
        assert line in said, said


@pytest.mark.parametrize(("why", "icon"), [("expiry", "🔴"), ("age", "🟠")])
def test_the_management_keys_end_is_told_with_what_replaces_it(policy: Policy, why: str, icon: str) -> None:
    headline, todo = read(policy, DetailType.KEY_EXPIRING, Expiring(**EXPIRING, why=why), "It ends.", "management key")
    assert headline == f"{icon} It ends."
    assert "put it into secret governor/key. No deploy is needed." in todo


def back(kind: DetailType, evidence: Evidence, policy: Policy) -> Button | None:
    """The message's *Roll back*, if it has one."""
    event = Event(kind, "e1", WHO, NOW, "why it is so", evidence.model_dump(mode="json"))
    found = [one for one in words(event, policy, figures((event,))).actions if one.text == "Roll back"]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("Key Rotated", Rotated(**ROTATED, overlap_until=NOW + timedelta(days=1))),
        ("Drain Blocked", Drain(**DRAIN, current=NEW)),
        ("Drain Blocked", Drain(**DRAIN, current=NEW, rule="last_key")),
        ("Key Drifted", Drift(**DRIFT | {"field": "hash", "live": "deleted"}, former=OLD)),
    ],
)
def test_where_the_former_key_can_come_back_a_button_names_both_keys_and_is_bound_to_them(
    policy: Policy, kind: str, evidence: Evidence
) -> None:
    button = back(DetailType(kind), evidence, policy)
    assert button
    assert (button.action, button.value) == ("rollback-key", {"subject": WHO, "back": OLD.hash, "goes": NEW.hash})
    given = f"Give {WHO} (workspace prod) its former key {WHO}#1 (aaaaaaaa…) back"
    assert button.confirm == f"{given} in place of {WHO}#2 (bbbbbbbb…)?"


def test_a_message_of_an_earlier_version_binds_its_button_to_the_key_that_it_knows(policy: Policy) -> None:
    button = back(DetailType.DRAIN_BLOCKED, Drain(**DRAIN), policy)
    assert button
    assert button.value == {"subject": WHO, "back": OLD.hash}
    assert button.confirm == f"Give {WHO} (workspace prod) its former key {WHO}#1 (aaaaaaaa…) back?"


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("Key Rotated", Rotated(**ROTATED)),  # the old key leaked: it has no overlap
        ("Key Rotated", Rotated(**ROTATED | {"old": None})),
        ("Key Drifted", Drift(**DRIFT | {"field": "hash", "live": "deleted"})),
        ("Key Drifted", Drift(**DRIFT)),
        ("Rollback Refused", Rotated(**ROTATED, rule="exposed")),
    ],
)
def test_where_no_key_can_come_back_there_is_no_button(policy: Policy, kind: str, evidence: Evidence) -> None:
    assert back(DetailType(kind), evidence, policy) is None


def test_a_keys_name_makes_no_line_of_its_own_in_the_question_before_a_rollback(policy: Policy) -> None:
    """The question is Slack's plain text, in which there is neither link nor mention."""
    odd = KeyRef(hash="a" * 64, name="prod\n<!channel> *really* <https://example.com|safe> " + "x" * 300)
    button = back(DetailType.DRAIN_BLOCKED, Drain(**DRAIN | {"key": odd}, current=NEW), policy)
    assert button
    assert len(button.confirm) <= 300
    assert "\n" not in button.confirm


def test_a_refused_event_takes_no_button_away_and_a_refused_decision_says_how_it_stands() -> None:
    """Red before: whoever may put events on the bus could remove the button by having one refused."""
    told = Rotated(**ROTATED, overlap_until=NOW + timedelta(days=1)).model_dump(mode="json")
    rotated = Event(DetailType.KEY_ROTATED, "e1", WHO, NOW, "", told)
    incident = Incident(f"rotation#{WHO}").joined(rotated)
    for rule, lead in (("by_event", DetailType.KEY_ROTATED), ("foreign", DetailType.ROLLBACK_REFUSED)):
        evidence = Rotated(**ROTATED, rule=rule).model_dump(mode="json")
        refused = Event(DetailType.ROLLBACK_REFUSED, f"e-{rule}", WHO, NOW + timedelta(hours=1), "why", evidence)
        assert incident.joined(refused).lead.detail_type is lead

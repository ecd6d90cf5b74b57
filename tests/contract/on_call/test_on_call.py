"""The template's own rules, connections and API destinations, against receivers as strict as the vendors.

Only what is on call, and the bus, is deployed, without the webhook's function: no function has to be built for it. What
that would take lies in its queue.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from sandbox.engine import Engine
from sandbox.on_call import Receiver
from tests.contract.template.reading import ROOT

BUS = "sandbox"
SUBJECT = "prod-search-agent"
KEY = "a" * 64
HOSTILE = 'x","dedup_key":"y\\ \n<kind> [click](https://evil.example) {{DATE(2026-01-01T00:00:00Z)}}'
ON_CALL = ("PagerDuty", "Teams", "Webhook", "OnCall")


def _slice(folder: Path) -> Path:
    """The template without all that is not on call."""
    document = yaml_parse((ROOT / "template.yaml").read_text())
    resources = {
        name: one
        for name, one in document["Resources"].items()
        if name.startswith(ON_CALL) and not name.startswith("WebhookSender") and one["Type"] != "AWS::CloudWatch::Alarm"
    }
    document["Resources"] = {"Bus": document["Resources"]["Bus"], **resources}
    for section in ("Outputs", "Globals", "Metadata"):
        del document[section]
    folder.mkdir(exist_ok=True)
    (folder / "template.yaml").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Receiver]]:
    receiver = Receiver()
    folder = _slice(tmp_path_factory.mktemp("on-call"))
    with receiver.serve(), Engine.deploy(folder, receiver.parameters, receiver.secrets) as engine:
        yield engine, receiver


@pytest.fixture
def engine(standing: tuple[Engine, Receiver]) -> Engine:
    return standing[0]


@pytest.fixture
def receiver(standing: tuple[Engine, Receiver]) -> Receiver:
    """As new, and so is the webhook's queue."""
    engine, found = standing
    for one in (found.pagerduty, found.teams, found.refused, found.incidents, found.answers):
        one.clear()
    webhook(engine)
    return found


def webhook(engine: Engine) -> list[dict[str, Any]]:
    """Takes the events out of the webhook's queue."""
    sqs, url, taken = engine.client("sqs"), engine.physical("WebhookQueue"), list[dict[str, Any]]()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            taken.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return taken


def put(engine: Engine, detail_type: str, subject: str = SUBJECT, *, source: str = "governor", **evidence: Any) -> None:
    detail = {
        "version": 1, "id": "0f" * 16, "subject": subject, "occurred_at": "2026-01-05T03:00:00Z",
        "reason": HOSTILE, "evidence": {"name": HOSTILE, **evidence},
    }  # fmt: skip
    engine.put_event(detail_type, detail, source=source)
    engine.settle()


def keys(*disabled: bool) -> list[dict[str, Any]]:
    return [{"hash": KEY, "name": HOSTILE, "workspace_id": "w", "disabled": one} for one in disabled]


def test_a_runaway_is_triggered_acknowledged_when_governor_disables_and_resolved_when_it_is_restored(engine, receiver):
    incident = f"{BUS}#runaway#prod-search-agent"
    put(engine, "Runaway Confirmed", keys=keys(False))
    assert receiver.incidents == {incident: "triggered"}
    put(engine, "Key Disabled", cause="runaway", rule="disable", keys=[])
    assert receiver.incidents == {incident: "acknowledged"}
    put(engine, "Runaway Ended", keys=keys(True, True))
    assert receiver.incidents == {incident: "acknowledged"}, "it stands still until a human restores it"
    put(engine, "Key Restored", cause="runaway", keys=[])
    assert receiver.incidents == {incident: "resolved"}
    assert receiver.refused == []
    (trigger,) = [one["payload"] for one in receiver.pagerduty if one["event_action"] == "trigger"]
    assert (trigger["severity"], trigger["summary"]) == ("critical", "Runaway Confirmed: prod-search-agent")
    assert trigger["timestamp"] == "2026-01-05T03:00:00Z"
    assert trigger["custom_details"]["detail"]["reason"] == HOSTILE, "whole, and only inside a JSON value"


def test_a_runaway_that_nobody_disabled_is_resolved_when_it_ends(engine, receiver):
    put(engine, "Runaway Confirmed", subject=KEY, keys=keys(False))
    put(engine, "Disable Withheld", subject=KEY, cause="runaway", rule="alert_mode", keys=[])
    put(engine, "Runaway Ended", subject=KEY, keys=keys(True, False))
    assert receiver.incidents == {f"{BUS}#runaway#{KEY}": "resolved"}


def test_a_person_who_expects_it_has_taken_it(engine, receiver):
    put(engine, "Runaway Confirmed", keys=keys(False))
    put(engine, "Runaway Expected", user="U0LEAD")
    assert list(receiver.incidents.values()) == ["acknowledged"]


@pytest.mark.parametrize("rule", ["alert_mode", "tier_zero", "once_a_day", "account_leash", "unconfirmed"])
def test_what_a_human_must_decide_pages(engine, receiver, rule):
    put(engine, "Disable Withheld", cause="budget", rule=rule, keys=[])
    assert receiver.incidents == {f"{BUS}#budget#prod-search-agent": "triggered"}


@pytest.mark.parametrize("rule", ["stale", "superseded", "not_borne_out", "mode_off", "already_disabled", "foreign"])
def test_what_needs_nobody_wakes_nobody(engine, receiver, rule):
    put(engine, "Disable Withheld", cause="runaway", rule=rule, keys=[])
    put(engine, "Runaway Suspected", keys=keys(False))
    put(engine, "Key Rotated")
    put(engine, "Key Disabled", cause="operator", rule="disable", keys=[])
    assert (receiver.pagerduty, receiver.teams) == ([], [])
    assert len(webhook(engine)) == 4, "the webhook gets every event"


@pytest.mark.parametrize("cause", ["exposed", "budget"])
def test_a_workload_that_stands_still_pages_until_it_is_restored(engine, receiver, cause):
    put(engine, "Key Disabled", cause=cause, rule="disable", keys=[])
    assert receiver.pagerduty[0]["payload"]["severity"] == "error"
    assert receiver.incidents == {f"{BUS}#{cause}#prod-search-agent": "triggered"}
    put(engine, "Key Restored", cause=cause, keys=[])
    assert list(receiver.incidents.values()) == ["resolved"]


def test_blindness_and_a_leak_of_credits_open_and_close_each_their_own(engine, receiver):
    put(engine, "Monitor Blind", subject="account", scope="account", kind="unread")
    put(engine, "Monitor Blind", subject="w1", scope="w1", kind="unread")
    put(engine, "Monitor Blind", subject="account", scope="account", kind="clock")
    put(engine, "Credits Leak Suspected", subject="platform/anthropic", started_at="2026-01-05T02:00:00Z")
    assert len(receiver.incidents) == 3, "of what nothing follows, a page could not be ended"
    put(engine, "Monitor Recovered", subject="w1", scope="w1", kind="unread")
    put(engine, "Credits Leak Ended", subject="platform/anthropic", started_at="2026-01-05T02:00:00Z")
    assert [key for key, stands in receiver.incidents.items() if stands == "triggered"] == [f"{BUS}#blind#account"]
    assert receiver.refused == []


@pytest.mark.parametrize(
    ("kind", "rule"),
    [("Disable Withheld", "not_found"), ("Disable Withheld", "openrouter_forbids"), ("Forgery Suspected", "")],
)
def test_an_outsiders_words_stand_in_no_template(engine, receiver, kind, rule):
    put(engine, kind, subject=HOSTILE, rule=rule, cause="exposed", keys=[])
    assert receiver.incidents == {f"{BUS}#{'0f' * 16}": "triggered"}
    assert receiver.pagerduty[0]["payload"]["summary"] == kind
    assert "evil" not in json.dumps(receiver.teams)
    assert (len(receiver.teams), receiver.refused, engine.dead_letters()) == (1, [], [])


def test_a_card_says_what_about_what_and_when_and_no_free_text(engine, receiver):
    put(engine, "Runaway Confirmed", keys=keys(False))
    (message,) = receiver.teams
    title, facts = message["attachments"][0]["content"]["body"]
    assert title["text"] == "Governor: Runaway Confirmed"
    assert {one["title"]: one["value"] for one in facts["facts"]} == {
        "About": "prod-search-agent", "When": "2026-01-05T03:00:00Z", "Stack": BUS, "Event": "0f" * 16,
    }  # fmt: skip
    assert "evil" not in json.dumps(message)


def test_a_webhook_gets_the_event_as_it_is_on_the_bus(engine, receiver):
    put(engine, "Key Rotated", subject="prod-search-agent")
    (event,) = webhook(engine)
    assert (event["detail-type"], event["source"]) == ("Key Rotated", "governor")
    assert event["detail"]["reason"] == HOSTILE


@pytest.mark.parametrize("sample", sorted((ROOT / "events" / "notifier").glob("*.json")), ids=lambda path: path.stem)
def test_every_event_that_the_notifier_takes_is_taken_by_all_or_left_out_and_never_lost(engine, receiver, sample):
    before = len(engine.dead_letters())
    for record in json.loads(sample.read_text())["Records"]:
        event = json.loads(record["body"])
        engine.put_event(event["detail-type"], event["detail"], source="governor")
        engine.settle()
        assert webhook(engine)[-1]["detail"] == event["detail"]
    assert (receiver.refused, engine.dead_letters()[before:]) == ([], [])


def test_an_event_from_before_a_field_came_is_heard(engine, receiver):
    """Monitor Blind without `kind` is of what is not metered."""
    put(engine, "Monitor Blind", subject="w3", scope="w3")
    assert receiver.incidents == {f"{BUS}#blind#w3": "triggered"}


def test_nobody_else_is_heard(engine, receiver):
    put(engine, "Runaway Confirmed", source="somebody", keys=keys(False))
    assert (receiver.pagerduty, receiver.teams, webhook(engine)) == ([], [], [])


def test_the_longest_subject_fits_beside_the_longest_stack_name(engine, receiver):
    put(engine, "Disable Withheld", subject=KEY, cause="runaway", rule="tier_zero", keys=[])
    assert len(receiver.pagerduty[0]["dedup_key"]) - len(BUS) + 40 <= 255
    assert len(receiver.pagerduty[0]["payload"]["summary"]) <= 1024


@pytest.mark.parametrize("status", [429, 503])
def test_a_vendor_who_is_away_is_told_later(engine, receiver, status):
    receiver.answers += [status] * 9
    put(engine, "Monitor Blind", subject="w2", scope="w2", kind="unread")
    engine.run_until(timedelta(minutes=30))
    assert receiver.incidents == {f"{BUS}#blind#w2": "triggered"}
    assert engine.dead_letters() == []


def test_what_a_vendor_refuses_or_never_takes_is_kept_whole_for_an_alarm(engine, receiver):
    before = len(engine.dead_letters())
    receiver.answers += [403] * 2
    put(engine, "Runaway Confirmed", keys=keys(False))
    receiver.answers += [503] * 200
    put(engine, "Runaway Confirmed", keys=keys(False))
    engine.run_until(timedelta(hours=2))
    letters = engine.dead_letters()[before:]
    assert len(letters) == 4
    assert {one.queue for one in letters} == {"OnCallDeadLetters"}
    assert receiver.pagerduty == []

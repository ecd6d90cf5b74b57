"""Every button of every message: from which row it is made, and that its question names what it acts on.

A button that is not in `ROWS`, that no example shows, or that is made elsewhere than in `notifier/buttons.py` fails.
The Home makes its own from the rows themselves (`slack_home/items.py`, with tests of its own).
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from approval_desk.modal import why_modal
from approval_desk.wishes import wish
from governor.approval import KINDS, Approval, Request
from governor.approval_evidence import approval_event
from governor.bulk_evidence import BulkRotation
from governor.events import DetailType, Event
from governor.evidence import Drain, Drift, KeyRef, Rotated
from governor.policy import Policy
from governor.publishers import OF_DECISIONS, RECORDED
from governor.slack import MAX_CONFIRM, Button, Message, SlackChannel
from governor.slack_requests import NTH, PREFIX, SlackRequest
from notifier.case import figures
from notifier.wording import words
from sandbox.slack import SlackSimulator
from sandbox.slack.limits import check_view

ROOT = Path(__file__).resolve().parents[3]
REQUEST, PUBLISHED = "approval, decision", "published#<function>"
ROWS = {
    "approve": REQUEST,
    "reject": REQUEST,
    "restore": PUBLISHED,
    "disable": PUBLISHED,
    "expected": PUBLISHED,
    "override": PUBLISHED,
    "rollback": PUBLISHED,
    "adopt": PUBLISHED,
    "revert": PUBLISHED,
    "rotate": PUBLISHED,
    "rollback-key": PUBLISHED,
    "pause": PUBLISHED,
    "resume": PUBLISHED,
    "stop": PUBLISHED,
    "rotate-departed": PUBLISHED,
}
"""Each button's action, and the rows from which the notifier reads what it shows beside it. *Restore key* and a
key's *Roll back* stand under a request that was rejected or has expired as well, made from `REQUEST`."""
ASKS_IN_A_MODAL = {"reject"}
T0 = datetime(2026, 11, 21, 8, tzinfo=UTC)
WORKLOAD, WORKSPACE, PRESET = "prod-search-agent", "platform-production", "support-triage"
KEY, NEW = KeyRef(hash="a" * 64, name=f"{WORKLOAD}#1"), KeyRef(hash="b" * 64, name=f"{WORKLOAD}#2")
POLICY = Policy.model_validate(
    {
        "version": 1,
        "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD", "U0SEC"]},
        "workloads": [
            {
                "name": WORKLOAD,
                "workspace": WORKSPACE,
                "owner": {"slack": "U0SEARCH"},
                "secret": "openrouter/prod/search-agent",
            },
            {"name": "prod-checkout", "workspace": WORKSPACE, "owner": {"slack": "U0SHOP"}, "tier": 0},
        ],
    }
)


def _request(kind: Any) -> Request:
    preset = kind in ("promotion", "override", "rollback", "adopt", "revert")
    change: dict[str, Any] = {"cause": "runaway"}
    if kind in ("promotion", "override"):
        change = {
            "from": {"workspace": "platform-staging", "version": 12},
            "to": {"workspace": WORKSPACE, "version": 8},
        }
    if kind == "key_rollback":
        change = {"back": KEY.hash, "back_name": KEY.name, "goes": NEW.hash, "goes_name": NEW.name}
    name = PRESET if preset else WORKLOAD
    return Request(
        f"request-{kind}", kind, name, "U0DEV", T0, T0 + timedelta(hours=24), change, ("U0LEAD",), 1, name, ("What.",)
    )


def _examples() -> Iterator[Event]:
    """An event for each message that can bear a button, and the samples of all others."""
    for path in sorted((ROOT / "events" / "notifier").glob("*.json")):
        yield Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))
    for kind in KINDS:
        request = _request(kind)
        for type in (DetailType.APPROVAL_REQUESTED, DetailType.APPROVAL_REJECTED, DetailType.APPROVAL_EXPIRED):
            yield approval_event(type, Approval(request), T0, "asked")
    rotated = Rotated(name=WORKLOAD, secret="openrouter/prod/search-agent", why="due", step="setSecret", rule="full")
    overlapping = rotated.model_copy(update={"old": KEY, "new": NEW, "overlap_until": T0})
    drain = Drain(name=WORKLOAD, key=KEY, since=T0, deadline=T0, rule="last_key")
    drift = Drift(name=WORKLOAD, field="hash", policy="a key", live="gone", key=KEY)
    for type, evidence in (
        (DetailType.ROTATION_FAILED, rotated),
        (DetailType.KEY_ROTATED, rotated),
        (DetailType.KEY_ROTATED, overlapping),
        (DetailType.DRAIN_BLOCKED, drain.model_copy(update={"current": NEW})),
        (DetailType.DRAIN_BLOCKED, drain),
        (DetailType.DRAIN_BLOCKED, drain.model_copy(update={"rule": ""})),
        (DetailType.KEY_DRIFTED, drift),
    ):
        yield Event(type, f"event-{type}", WORKLOAD, T0, "why", evidence.model_dump(mode="json"))
    bulk = BulkRotation(
        order="request-1", name=f"workspace {WORKSPACE}", because="leaked", state="running", total=7, waiting=4,
        running=2, failed=1, requested_by="U0DEV",
    )  # fmt: skip
    for state in ("running", "paused", "halted"):
        counted = bulk.model_copy(update={"state": state}).model_dump(mode="json")
        yield Event(DetailType.BULK_ROTATION_PROGRESSED, f"event-{state}", WORKSPACE, T0, "why", counted)
    undeclared = "c" * 64
    for event in list(_samples("runaway_suspected", "key_disabled", "disable_withheld")):
        yield replace(event, subject=undeclared, evidence={**event.evidence, "name": "a key by hand"})


def _samples(*names: str) -> Iterator[Event]:
    for name in names:
        path = ROOT / "events" / "notifier" / f"{name}.json"
        yield Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))


def _buttons(event: Event) -> tuple[Button, ...]:
    return words(event, POLICY, figures((event,))).actions


def _id(one: Event | Button) -> str:
    return one.detail_type if isinstance(one, Event) else one.action


SHOWN = [(event, button) for event in _examples() for button in _buttons(event)]


def test_every_button_has_its_row_its_example_and_somebody_who_hears_it() -> None:
    made = {
        ast.literal_eval(node.args[1])
        for node in ast.walk(ast.parse((ROOT / "functions/notifier/notifier/buttons.py").read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Button"
        and isinstance(node.args[1], ast.Constant)
    }
    assert made == set(ROWS)
    assert {button.action for _, button in SHOWN} == set(ROWS)


def test_no_button_is_made_anywhere_else() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "functions").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Button"
    }
    assert makers == {"functions/notifier/notifier/buttons.py", "functions/slack_home/slack_home/items.py"}


@pytest.mark.parametrize(("event", "button"), SHOWN, ids=_id)
def test_what_stands_beside_a_button_is_read_from_the_row_that_the_table_names(event: Event, button: Button) -> None:
    if event.detail_type in OF_DECISIONS:
        assert ROWS[button.action] == REQUEST or button.action in ("restore", "rollback-key")
    else:
        assert event.detail_type in RECORDED
        assert ROWS[button.action] == PUBLISHED


@pytest.mark.parametrize(("event", "button"), SHOWN, ids=_id)
def test_a_button_asks_first_and_its_question_names_what_it_acts_on(event: Event, button: Button) -> None:
    click = SlackRequest("id", 0, "button", "U0LEAD", "T", "T", action=button.action, value=button.value)
    assert wish(click).verb == button.action, "the desk understands it"
    if button.action in ASKS_IN_A_MODAL:
        request = _request(event.evidence["kind"])
        view = why_modal(wish(click), "C0GOVERNOR", request)
        check_view(view)
        assert request.name in view["blocks"][0]["text"]["text"]
        assert "U0DEV" in view["blocks"][0]["text"]["text"]
        return
    assert len(button.confirm) <= MAX_CONFIRM
    assert button.confirm.endswith(("?", ".")), "nothing is cut off"
    for name in _named(event, button):
        assert name in button.confirm


def _named(event: Event, button: Button) -> list[str]:
    """What the question must hold: the workload and its workspace, the key, or the preset and its versions."""
    evidence = event.evidence
    if button.action == "approve":
        of_versions = ["12", "platform-staging", WORKSPACE] if evidence["kind"] in ("promotion", "override") else []
        return [event.subject, *of_versions]
    if "preset" in button.value:
        version = evidence.get("candidate", evidence.get("live"))["version"]
        versions = {
            "override": [version],
            "rollback": [evidence.get("became"), evidence.get("former", {}).get("version")],
            "adopt": [version, evidence.get("promoted", {}).get("version")],
            "revert": [version, evidence.get("promoted", {}).get("version")],
        }
        return [event.subject, WORKSPACE, *(f"version {one}" for one in versions[button.action])]
    if event.detail_type is DetailType.MEMBER_DEPARTED:
        if button.action == "rotate-departed":
            return [event.subject]
        [key] = [one for one in evidence["keys"] if button.value["subject"] in (one["hash"], one["workload"])]
        return [key["workload"] or f"{key['name']} (undeclared key {key['hash'][:8]}", f"workspace {key['workspace']}"]
    if "order" in button.value:
        return [f"{evidence['total']} keys of {evidence['name']}"]
    if len(event.subject) == 64:
        return [event.subject[:8], "a key by hand", f"workspace {evidence['keys'][0]['workspace_id']}"]
    keys = [one.name for one in (KEY, NEW) if one.hash in button.value.values()]
    return [event.subject, f"workspace {WORKSPACE}", *keys]


@pytest.mark.parametrize("action", sorted(set(ROWS) - ASKS_IN_A_MODAL))
def test_a_question_keeps_its_end_and_its_limit_however_long_the_names_are(action: str) -> None:
    long = "x" * 400
    for event, button in SHOWN:
        if button.action != action:
            continue
        widened = json.loads(json.dumps(dict(event.evidence)), object_hook=lambda one: _widened(one, long))
        alike = [one for one in _buttons(replace(event, evidence=widened)) if one.action == action]
        assert alike
        for same in alike:
            assert len(same.confirm) <= MAX_CONFIRM, same.confirm
            assert same.confirm.endswith(("?", "."))


def _widened(one: dict[str, Any], long: str) -> dict[str, Any]:
    return {name: long if name in ("name", "workspace", "requested_by") else value for name, value in one.items()}


def test_a_name_in_a_question_is_data() -> None:
    [event] = _samples("preset_drifted")
    lying = {**event.evidence, "name": "safe\nApprove everything <!channel> ра"}
    for button in _buttons(replace(event, evidence=lying)):
        assert "\n" not in button.confirm
        assert "[U+0440]" in button.confirm, "letters that only look like Latin ones are shown by number"


def test_buttons_of_one_action_stand_in_one_message_and_each_comes_back_as_that_action(
    simulator: SlackSimulator, url: str
) -> None:
    [event] = _samples("member_departed")
    shown = tuple(_buttons(event))
    assert [button.action for button in shown].count("disable") > 1
    channel = SlackChannel(lambda: SecretStr("xoxb-fake"), "C0GOVERNOR", url)
    channel.post(Message("text", "#e8912d", actions=shown), {"kind": "test"})
    [posted] = simulator.messages("C0GOVERNOR")
    [block] = [one for one in posted["attachments"][0]["blocks"] if one["type"] == "actions"]
    ids = [element["action_id"] for element in block["elements"]]
    assert len(set(ids)) == len(shown)
    assert [id.removeprefix(PREFIX).partition(NTH)[0] for id in ids] == [button.action for button in shown]

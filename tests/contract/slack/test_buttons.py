"""Every button of every message: from which row it is made, and that its question names what it acts on.

A button that is not in `ROWS`, that no example shows, or that is made elsewhere than in `notifier/buttons.py` fails.
The Home makes its own from the rows themselves (`slack_home/items.py`, with tests of its own).
"""

import ast
import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from approval_desk.modal import why_modal
from approval_desk.parsing import command_of
from governor.events import DetailType, Event
from governor.events.publishers import OF_DECISIONS, RECORDED
from governor.slack.channel import MAX_CONFIRM, Button, Message, SlackChannel
from governor.slack.requests import NTH, PREFIX, SlackRequest
from notifier.case import figures
from notifier.wording import words
from sandbox.slack import SlackSimulator
from sandbox.slack.limits import check_view
from tests.contract.slack.examples import KEY, NEW, POLICY, ROOT, WORKSPACE, examples, request_of, samples

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


def _buttons(event: Event) -> tuple[Button, ...]:
    return words(event, POLICY, figures((event,))).actions


def _id(one: Event | Button) -> str:
    return one.detail_type if isinstance(one, Event) else one.action


SHOWN = [(event, button) for event in examples() for button in _buttons(event)]


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
    assert command_of(click).verb == button.action, "the desk understands it"
    if button.action in ASKS_IN_A_MODAL:
        request = request_of(event.evidence["kind"])
        view = why_modal(command_of(click), "C0GOVERNOR", request)
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
    [event] = samples("preset_drifted")
    lying = {**event.evidence, "name": "safe\nApprove everything <!channel> ра"}
    for button in _buttons(replace(event, evidence=lying)):
        assert "\n" not in button.confirm
        assert "[U+0440]" in button.confirm, "letters that only look like Latin ones are shown by number"


def test_buttons_of_one_action_stand_in_one_message_and_each_comes_back_as_that_action(
    simulator: SlackSimulator, url: str
) -> None:
    [event] = samples("member_departed")
    shown = tuple(_buttons(event))
    assert [button.action for button in shown].count("disable") > 1
    channel = SlackChannel(lambda: SecretStr("xoxb-fake"), "C0GOVERNOR", url)
    channel.post(Message("text", "#e8912d", actions=shown), {"kind": "test"})
    [posted] = simulator.messages("C0GOVERNOR")
    [block] = [one for one in posted["attachments"][0]["blocks"] if one["type"] == "actions"]
    ids = [element["action_id"] for element in block["elements"]]
    assert len(set(ids)) == len(shown)
    assert [id.removeprefix(PREFIX).partition(NTH)[0] for id in ids] == [button.action for button in shown]

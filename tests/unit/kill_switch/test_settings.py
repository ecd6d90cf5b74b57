"""Every event is either understood or refused with the field at fault."""

import json
from pathlib import Path
from typing import Any

import pytest

from governor.environment import SettingsError
from governor.events import BadEvent
from kill_switch.settings import DisableRequest, KillSwitchSettings, RestoreRequest, received
from tests.unit.kill_switch.doubles import budget, exposed, restore, runaway

SAMPLES = Path(__file__).parents[3] / "events" / "kill_switch"


@pytest.mark.parametrize(
    ("sample", "kind", "cause"),
    [
        ("runaway_confirmed", DisableRequest, "runaway"),
        ("key_exposed", DisableRequest, "exposed"),
        ("budget_threshold_reached", DisableRequest, "budget"),
        ("restore_requested", RestoreRequest, "runaway"),
    ],
)
def test_each_sample_is_understood(sample: str, kind: type, cause: str) -> None:
    request = received(json.loads((SAMPLES / f"{sample}.json").read_text()))
    assert isinstance(request, kind)
    assert isinstance(request, DisableRequest | RestoreRequest)
    assert request.cause == cause


def test_there_is_a_sample_of_every_event_accepted() -> None:
    assert {json.loads(path.read_text())["detail-type"] for path in SAMPLES.glob("*.json")} == {
        "Runaway Confirmed",
        "Key Exposed",
        "Budget Threshold Reached",
        "Restore Requested",
        "Approval Granted",
    }


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    place = copy
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return copy


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({}, "detail-type"),
        ([], "not one of Governor's events"),
        ({**runaway(), "detail-type": "Key Disabled"}, "does not act on 'Key Disabled'"),
        (without(runaway(), "detail", "subject"), "subject"),
        (without(runaway(), "detail", "evidence", "spent_usd"), "detail.evidence.spent_usd: Field required"),
        (without(runaway(), "detail", "evidence", "keys"), "detail.evidence.keys: Field required"),
        (without(restore(), "detail", "evidence", "requested_by"), "detail.evidence.requested_by"),
        (restore("whim"), "detail.evidence.cause"),
        (budget(disable=False), "detail.evidence.disable"),
        (budget(scope="credits", scope_id="account"), "not a key's budget"),
        ({**exposed(), "detail": {"subject": ""}}, "subject is empty"),
    ],
)
def test_an_event_of_the_wrong_shape_is_one_clear_error(event: Any, fault: str) -> None:
    with pytest.raises(BadEvent, match=fault):
        received(event)


def test_a_malformed_value_is_not_quoted() -> None:
    event = runaway()
    event["detail"]["evidence"]["spent_usd"] = "sk-or-v1-fake"
    with pytest.raises(BadEvent) as caught:
        received(event)
    assert "sk-or" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="TABLE_NAME"):
        KillSwitchSettings.read({"MANAGEMENT_KEY_SECRET": "s", "EVENT_BUS_NAME": "b"})

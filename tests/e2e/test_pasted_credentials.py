"""Credentials are pasted wherever a person or a scanner can put one; afterwards everything that Governor keeps, says or
logs is searched. Secrets Manager and the far sides' own memory are the only places where they may stand."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx

from sandbox.scenario.organization import SEARCH, TRIAGE
from sandbox.scenario.world import World
from tests.credentials import PASTED, core
from tests.everything import everything

MINUTES = timedelta(minutes=1)
REQUESTS = (
    "Key Exposed",
    "Restore Requested",
    "Rotation Requested",
    "Rollback Requested",
    "Drill Requested",
    "Approval Decided",
    "Preset Promotion Requested",
)


def _found(world: World) -> list[tuple[str, str]]:
    return [
        (kind, place) for place, text in everything(world) for kind, pasted in PASTED.items() if core(pasted) in text
    ]


def _details(pasted: str) -> Iterator[dict[str, Any]]:
    """What a hurried person or a scanner may send: the credential as a name, a reason, an id, a field."""
    yield {"subject": pasted}
    yield {"subject": SEARCH, "reason": f"it leaked: {pasted}", "evidence": {"url": f"https://x/{pasted}"}}
    yield {"subject": SEARCH, "id": pasted, "evidence": {"requested_by": pasted, "by": pasted, "cause": pasted}}
    yield {"subjekt": pasted, "evidence": pasted}
    yield {"subject": SEARCH, "evidence": {pasted: [pasted, {"deep": pasted}]}, "occurred_at": pasted}


def test_what_people_paste_is_found_nowhere_afterwards(world: World) -> None:
    world.run(world.now + 2 * MINUTES)
    kinds = list(PASTED.values())
    for number, detail_type in enumerate(REQUESTS):
        for place, _ in enumerate(_details("")):
            pasted = kinds[(number * 5 + place) % len(kinds)]
            detail = list(_details(pasted))[place]
            world.engine.put_event(detail_type, detail, source="scanner")
    for number, pasted in enumerate(kinds):
        words = ("disable {}", "rotate {}", "restore {0} {0}", "{}", "drill {0} {0}", "promote {}")[number % 6]
        world.command("U0DATA", words.format(pasted))
    world.run(world.now + 8 * MINUTES)  # retries and dead letters included
    assert world.engine.messages("KillSwitchDeadLetters"), "what cannot be done is kept, without the credential"
    assert _found(world) == []


def test_a_reason_in_a_modal_and_a_body_that_nobody_signed_leave_nothing(world: World) -> None:
    world.command("U0LEAD", f"disable {TRIAGE}")
    world.run(world.now + 2 * MINUTES)
    for pasted, user in zip(PASTED.values(), ("U0SEARCH", "U0DATA", "U0FINANCE"), strict=False):
        world.command(user, f"restore {TRIAGE}")
        world.run(world.now + MINUTES)
        while not world.slack.workspace.views:
            world.click("U0SEC", "Reject")
        world.submit("U0SEC", reason=f"not while {pasted} is out")
        world.slack.workspace.views.clear()
        world.run(world.now + MINUTES)
    for pasted in PASTED.values():
        httpx.post(world.engine.outputs["SlackRequestUrl"], content=f"text={pasted}", timeout=30)
    world.run(world.now + 2 * MINUTES)
    assert len(world.events("Approval Rejected")) == 3
    assert "[redacted]" in world.events("Approval Rejected")[0]["detail"]["evidence"]["comment"]
    assert _found(world) == []


def test_a_key_a_workspace_a_model_and_an_app_that_are_called_by_a_credential_leave_nothing(world: World) -> None:
    pasted = list(PASTED.values())
    workspace = world.simulator.organization.create_workspace(pasted[3], "pasted")
    key, _ = world.simulator.create_key(f"prod-{pasted[0]}", workspace="pasted", limit=10.0, limit_reset="monthly")
    world.run(world.now + 2 * MINUTES)
    world.simulator.spend(key.hash, 9.5, requests=3, app=f"app {pasted[2]}")
    world.run(world.now + 8 * MINUTES)
    assert world.events("Budget Threshold Reached")
    assert workspace.name == pasted[3]
    assert _found(world) == []

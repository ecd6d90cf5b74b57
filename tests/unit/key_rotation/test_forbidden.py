"""A 403 is not always the key: what a rotation says of it, and that a refused proof is not taken for a bad key."""

from typing import Any

import pytest

from key_rotation.ports import Refused
from key_rotation.settings import StepName
from management_api import AuthenticationFailed, CurrentKey, OpenRouterError, ReadForbidden, Rejected, WriteForbidden
from tests.unit.key_rotation.doubles import FakeAccount, World, api_key


@pytest.mark.parametrize(
    "error",
    [
        Rejected("address not allowed", request="GET /key", status=403),
        Rejected("Workspace monthly budget of $500.00 exceeded.", request="GET /key", status=403),
        AuthenticationFailed("refused", request="GET /key", status=401),
    ],
)
def test_a_refused_proof_of_a_key_that_is_enabled_is_not_taken_for_a_bad_key(
    error: OpenRouterError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red before: a 403 was told as OpenRouter's words alone, and a 401 always as a key that was deleted."""
    world = World(api_key())
    steps: tuple[StepName, ...] = ("createSecret", "setSecret")
    for step in steps:
        world.step(step)

    def refuse(_: FakeAccount) -> CurrentKey:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(FakeAccount, "current_key", refuse)
        with pytest.raises(Refused) as refused:
            world.step("testSecret")
    assert refused.value.rule == "proof_refused"
    for named in ("IP allowlist", "maximum API key lifetime", "key.expires_in", "budget or guardrail"):
        assert named in refused.value.reason
    assert world.secrets.stages["first"] == {"AWSCURRENT"}
    world.rotate()
    assert len(world.account.own()) == 1, "the pending key is proven later, and none is made beside it"


def test_a_new_key_that_somebody_disabled_is_dead() -> None:
    world = World(api_key())
    world.step("createSecret")
    world.step("setSecret")
    made: Any = world.made.hash
    world.account.held[made] = api_key(made, world.made.name, disabled=True)
    with pytest.raises(Refused) as refused:
        world.step("testSecret")
    assert refused.value.rule == "key_dead"


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        (ReadForbidden("an IP allowlist may", request="GET /keys", status=403), "management_read_forbidden"),
        (WriteForbidden("it may be read-only", request="PATCH /keys/{hash}", status=403), "management_write_forbidden"),
    ],
)
def test_a_management_call_that_is_forbidden_has_a_rule_of_its_own(error: OpenRouterError, rule: str) -> None:
    world = World(api_key(limit=100.0, limit_reset="monthly"))

    def refuse(_: str) -> None:
        raise error

    world.account.before = refuse
    with pytest.raises(type(error)):
        world.step("createSecret")
    event = world.bus.events[-1]
    assert event.evidence["rule"] == rule
    assert str(error) in event.reason

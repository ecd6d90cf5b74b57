"""Probes are few, cheap and honest about whom they speak of; a probe that cannot be sent is one clear error."""

from collections.abc import Callable

import pytest

from sandbox.openrouter.identities import hash_of
from tests.unit.byok_failover.doubles import MODEL, NAME, PLACE, SECRET, World


def test_a_revoked_credential_is_unhealthy_after_two_probes_and_recovers_after_two_once_each() -> None:
    world = World()
    credential = world.credential("first")
    world.simulator.trouble(credential=credential.id, trouble="revoked")
    for _ in range(4):
        world.tick()
    (event,) = world.told("Credential Unhealthy")
    assert (event.subject, event.evidence["judgement"], event.evidence["action"]) == (NAME, "invalid", "alert")
    assert [one["name"] for one in event.evidence["among"]] == ["first"]
    world.simulator.trouble(credential=credential.id)
    for _ in range(4):
        world.tick()
    assert world.kinds() == ["Credential Unhealthy", "Credential Recovered"]


def test_a_slow_credential_is_degraded() -> None:
    world = World()
    world.simulator.trouble(credential=world.credential("first").id, trouble="slow")
    for _ in range(3):
        world.tick()
    (event,) = world.told("Credential Unhealthy")
    assert event.evidence["judgement"] == "degraded"


@pytest.mark.parametrize("trouble", ["rate_limited", "region_denied", "unavailable", "ambiguous"])
def test_what_is_not_an_authentication_failure_is_never_invalid(trouble: str) -> None:
    world = World({"provider": "anthropic"})
    credential = world.credential("first")
    world.simulator.trouble(credential=credential.id, trouble=trouble)  # type: ignore[arg-type]
    for _ in range(6):
        world.tick()
    assert world.told() == []


def test_where_two_share_a_provider_a_probe_speaks_of_one_of_them() -> None:
    world = World({"expect": {"prioritized": 2}})
    for name in ("first", "second"):
        world.simulator.trouble(credential=world.credential(name).id, trouble="revoked")
    for _ in range(3):
        world.tick()
    (event,) = world.told("Credential Unhealthy")
    assert event.reason == (
        f"one of first, second (OpenRouter does not say which) of {NAME} is invalid: the provider answered 401."
    )


def test_a_dedicated_key_that_one_credential_lets_in_singles_it_out() -> None:
    keys = {"second": "openrouter/probe/second"}
    world = World({"expect": {"prioritized": 2}, "probe": {"model": MODEL, "secret": SECRET, "keys": keys}})
    dedicated, world.secrets["openrouter/probe/second"] = world.simulator.create_key("probe-second", workspace=PLACE)
    world.credential("first", allowed_api_key_hashes=[world.key.hash])
    second = world.credential("second", allowed_api_key_hashes=[world.key.hash, dedicated.hash])
    world.simulator.trouble(credential=second.id, trouble="revoked")
    for _ in range(3):
        world.tick()
    (event,) = world.told("Credential Unhealthy")
    assert [one["id"] for one in event.evidence["among"]] == [second.id]


def test_probes_stop_where_our_own_keys_serve_in_plenty() -> None:
    world = World()
    world.credential("first")
    for _ in range(30):
        world.spend(0.2)
        world.tick()
    assert world.probes() == 1


def test_thin_traffic_is_probed_as_often_as_the_days_bound_spreads_it() -> None:
    world = World({"probe": {"model": MODEL, "secret": SECRET, "per_day": 4}})
    world.credential("first")
    for _ in range(24 * 6):
        world.tick()
    assert world.probes() in (4, 5)


@pytest.mark.parametrize("bound", [{"per_day": 3}, {"usd_per_day": 0.0002}, {"per_day": 0}])
def test_doubt_never_passes_the_days_bounds(bound: dict[str, float]) -> None:
    world = World({"probe": {"model": MODEL, "secret": SECRET, "per_day": 10, **bound}})
    world.simulator.trouble(credential=world.credential("first").id, trouble="revoked")
    for _ in range(60):
        world.tick()
    assert world.probes() <= bound.get("per_day", 10)
    spent = [row.data["usd"] for row in world.ledger.rows("byok", "probes#")]
    assert sum(spent) <= bound.get("usd_per_day", 0.10) + 1e-9


def _missing(world: World) -> None:
    world.secrets.clear()


def _foreign(world: World) -> None:
    world.secrets[SECRET] = "sk-or-v1-fake-of-nobody"


def _disabled(world: World) -> None:
    world.key.disabled = True


def _over_its_limit(world: World) -> None:
    world.key.limit, world.key.include_byok_in_limit = 0.0, True


def _no_access(world: World) -> None:
    guardrail = world.organization.create_guardrail("strict", PLACE, allowed_providers=["openai"])
    world.organization.assign(guardrail, [world.key.hash])


def _left_out(world: World) -> None:
    for one in world.organization.credentials.values():
        one.settings["allowed_api_key_hashes"] = ["a" * 64]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (_missing, "probe_key_missing"),
        (_foreign, "probe_key_foreign"),
        (_disabled, "probe_key_refused"),
        (_over_its_limit, "probe_key_over_limit"),
        (_no_access, "probe_lacks_access"),
        (_left_out, "probe_reaches_none"),
    ],
)
def test_a_probe_that_cannot_be_sent_is_one_clear_error_and_the_other_checks_go_on(
    spoil: Callable[[World], None], rule: str
) -> None:
    world = World({"expect": {"fallback": 1}})
    world.credential("first")
    spoil(world)
    for _ in range(3):
        world.tick()
    about_the_probe = [one for one in world.told("Failover Gap Found") if one.evidence["rule"].startswith("probe_")]
    assert [one.evidence["rule"] for one in about_the_probe] == [rule]
    assert about_the_probe[0].evidence["todo"]
    assert world.rules().count("too_few_fallback") == 1
    for text in (repr(world.events), repr(world.ledger.rows("byok")), *world.lines):
        assert not [one for one in world.secrets.values() if one in text]


def test_a_mended_probe_closes_its_error() -> None:
    world = World()
    world.credential("first")
    kept = dict(world.secrets)
    world.secrets.clear()
    world.tick()
    world.secrets = kept
    world.tick()
    assert world.kinds() == ["Failover Gap Found", "Failover Gap Closed"]
    assert hash_of(kept[SECRET]) == world.key.hash

"""Many rotated at once, whose keys share an allowlist, a filter and a guardrail: nothing of one is lost by another."""

import json
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from moto.core.botocore_stubber import BotocoreStubber

from governor.keys.lineage import Lineage
from key_retirement import side_by_side
from key_rotation import handler
from sandbox.openrouter.identities import hash_of
from sandbox.openrouter.traffic import unusable
from tests.faults.clients import client
from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, context, invoke, writes
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import CAP, FUNCTION, MEMBER, PLACE, POLICY, STEPS, World

NAMES = ("prod-batch-a", "prod-batch-b", "prod-batch-c")
BATCH = deepcopy(POLICY)
BATCH["workloads"] += [{**BATCH["workloads"][0], "name": name, "secret": f"openrouter/{name}"} for name in NAMES]


@pytest.fixture
def batched(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, BATCH) as stage:
        yield stage


class Batch:
    """Three more workloads in the world's workspace; each key is in the lists and under the guardrail of the first."""

    def __init__(self, world: World, *, found: bool = False) -> None:
        self.world = world
        if found:
            self._found()

    def _found(self) -> None:
        self.world.wire.begin()
        organization = self.world.simulator.organization
        guardrail = organization.guardrails[organization.key_assignments[self.world.first].guardrail_id]
        for name in NAMES:
            key, plaintext = self.world.simulator.create_key(
                name, workspace=PLACE, limit=CAP, limit_reset="monthly", creator_user_id=MEMBER,
                external_user="tenant-7",
            )  # fmt: skip
            organization.assign(guardrail, [key.hash])
            for lists, field in self._lists():
                lists[field] = [*lists[field], key.hash]
            value = json.dumps({"api_key": plaintext, "hash": key.hash, "name": name})
            client("secretsmanager").create_secret(Name=f"openrouter/{name}", SecretString=value)

    def _lists(self) -> Iterator[tuple[Any, str]]:
        organization = self.world.simulator.organization
        for credential in organization.credentials.values():
            yield credential.settings, "allowed_api_key_hashes"
        for destination in organization.destinations.values():
            yield destination.settings, "api_key_hashes"

    def listed(self) -> list[set[str]]:
        """The hashes of each list."""
        return [set(lists[field]) for lists, field in self._lists()]

    def add_by_hand(self, hash: str) -> None:
        """As a person does in the dashboard: the list as it is, and one more."""
        for lists, field in self._lists():
            if hash not in lists[field]:
                lists[field] = [*lists[field], hash]

    def ask(self, name: str) -> None:
        self.world.wire.begin()
        client("secretsmanager").rotate_secret(
            SecretId=f"openrouter/{name}", ClientRequestToken=self._token(name), RotationLambdaARN=FUNCTION,
            RotationRules={"AutomaticallyAfterDays": 67},
        )  # fmt: skip

    def step(self, name: str, step: str) -> Any:
        arn = self.world.aws.secretsmanager.secrets[f"openrouter/{name}"].arn
        event = {"Step": step, "SecretId": str(arn), "ClientRequestToken": self._token(name)}
        return partial(handler.lambda_handler, event, context())

    def steps(self, name: str, upto: str = "finishSecret") -> None:
        for step in STEPS[: STEPS.index(upto) + 1]:
            assert invoke(self.world.wire, self.step(name, step)) == Ended.DONE

    def held(self, name: str) -> dict[str, Any]:
        value = self.world.aws.secretsmanager.get_secret_value(f"openrouter/{name}", None, "AWSCURRENT")
        found: dict[str, Any] = json.loads(value["SecretString"])
        return found

    def lineage(self, name: str) -> Lineage:
        return Lineage.of(self.world.aws.rows("lineage")[name])

    def hashes(self, name: str) -> dict[str, str]:
        """State by hash."""
        return {key.hash: key.state for key in self.lineage(name).keys}

    def promises_hold(self) -> None:
        for name in NAMES:
            key = self.world.simulator.organization.keys.get(hash_of(self.held(name)["api_key"]))
            assert unusable(key, self.world.now.timestamp()) is None, (
                f"{name}: the secret holds a key that does not work"
            )
            own = [one for one in self.world.simulator.organization.keys if one.name.startswith(name)]
            most = sum(one.limit or 0.0 for one in own if not one.disabled)
            assert most <= CAP + 1e-4, f"{name}: the keys together may spend {most}"

    def _token(self, name: str) -> str:
        return f"00000000-0000-4000-8000-00000000000{NAMES.index(name) + 5}"


def retiring(stage: Worlds) -> Any:
    """The photo of a batch that was rotated a day ago: three old keys, quiet, about to be disabled."""
    batch = Batch(stage(), found=True)
    for name in NAMES:
        batch.ask(name)
        batch.steps(name)
    batch.world.later(hours=26)
    return stage.photo()


def assert_retired(batch: Batch, by_hand: Collection[str] = ()) -> None:
    first = {batch.world.first}
    new = {batch.held(name)["hash"] for name in NAMES}
    for listed in batch.listed():
        assert listed == first | new | set(by_hand)
    organization = batch.world.simulator.organization
    for name in NAMES:
        assert sorted(batch.hashes(name).values()) == ["current", "quarantined"]
        (old,) = [hash for hash, state in batch.hashes(name).items() if state == "quarantined"]
        assert organization.key(old).disabled
        assert old not in organization.key_assignments
        assert organization.key(batch.held(name)["hash"]).limit == CAP
    batch.promises_hold()


def test_the_keys_that_leave_together_cost_one_change_a_list_and_one_question(wire: Wire, batched: Worlds) -> None:
    photo = retiring(batched)
    calls = wire.calls_of(Batch(batched(photo)).world.tick())
    count = Counter(name.removeprefix("openrouter.") for name in calls)
    assert count["PATCH /api/v1/byok/{id}"] == 1
    assert count["PATCH /api/v1/observability/destinations/{id}"] == 1
    assert count["POST /api/v1/guardrails/{id}/assignments/keys/remove"] == 1
    assert count["POST /api/v1/analytics/query"] == 1
    assert count["PATCH /api/v1/keys/{id}"] == 2 * len(NAMES)
    assert "GET /api/v1/keys/{id}" not in count


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_a_run_that_retires_a_batch_may_fail_at_any_call_and_the_next_ones_converge(
    fault: Fault, wire: Wire, batched: Worlds, counted: list[str]
) -> None:
    photo = retiring(batched)
    for accident in accidents(wire.calls_of(batched(photo).tick()), (fault,)):
        with case(counted, f"{accident}"):
            batch = Batch(batched(photo))
            invoke(wire, batch.world.tick(), accident)
            batch.promises_hold()
            for _ in range(3):
                assert invoke(wire, batch.world.tick()) == Ended.DONE
                batch.world.later(minutes=10)
            assert_retired(batch)


@pytest.fixture
def side_by_side_over_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four lineages in four threads; moto, which threads must not share, answers one at a time."""
    send, one_at_a_time = BotocoreStubber.__call__, threading.RLock()

    def stub(*given: Any, **named: Any) -> Any:
        with one_at_a_time:
            return send(*given, **named)

    monkeypatch.setattr(BotocoreStubber, "__call__", stub)
    monkeypatch.setattr(side_by_side, "FEW", 1)


@pytest.mark.usefixtures("side_by_side_over_moto")
@pytest.mark.parametrize("fault", [Fault.KILLED_AFTER, Fault.TIMED_OUT_AFTER], ids=lambda fault: fault.name.lower())
def test_a_run_whose_lineages_are_tended_side_by_side_may_fail_at_any_call_and_the_next_ones_converge(
    fault: Fault, wire: Wire, batched: Worlds, counted: list[str]
) -> None:
    """Which lineage makes the call differs from run to run: whichever does, the promises hold for all."""
    photo = retiring(batched)
    for accident in accidents(wire.calls_of(batched(photo).tick()), (fault,)):
        with case(counted, f"{accident}"):
            batch = Batch(batched(photo))
            invoke(wire, batch.world.tick(), accident)
            batch.promises_hold()
            for _ in range(3):
                assert invoke(wire, batch.world.tick()) == Ended.DONE
                batch.world.later(minutes=10)
            assert_retired(batch)


def test_a_list_that_a_person_edits_before_any_call_of_the_run_keeps_the_edit(
    wire: Wire, batched: Worlds, counted: list[str]
) -> None:
    photo = retiring(batched)
    for at, name in enumerate(wire.calls_of(batched(photo).tick())):
        with case(counted, f"edited before {name}"):
            batch = Batch(batched(photo))
            other, _ = batch.world.simulator.create_key("by-hand", workspace=PLACE)
            with wire.beside(partial(batch.add_by_hand, other.hash), at):
                invoke(wire, batch.world.tick())
            for _ in range(2):
                assert invoke(wire, batch.world.tick()) == Ended.DONE
            lost = any(other.hash not in listed for listed in batch.listed())
            # OpenRouter's PATCH replaces the whole list: an edit between our last read and our write is lost by it.
            assert not lost or "PATCH" in name
            batch.add_by_hand(other.hash)
            assert_retired(batch, {other.hash})


def test_two_rotations_that_share_lists_beside_each_other_are_both_in_them(
    wire: Wire, batched: Worlds, counted: list[str]
) -> None:
    batch = Batch(batched(), found=True)
    for name in NAMES[:2]:
        batch.ask(name)
        batch.steps(name, "createSecret")
    photo, one, other = batched.photo(), NAMES[0], NAMES[1]
    for at in range(len(wire.calls_of(Batch(batched(photo)).step(one, "setSecret")))):
        with case(counted, f"the other's whole step before call {at}"):
            batch = Batch(batched(photo))
            with wire.beside(batch.step(other, "setSecret"), at):
                invoke(wire, batch.step(one, "setSecret"))
            for name in (one, other):
                invoke(wire, batch.step(name, "testSecret"))
                batch.promises_hold()
                batch.steps(name)  # Secrets Manager's next attempt
            for name in (one, other):
                assert all(batch.held(name)["hash"] in listed for listed in batch.listed()), f"{name} is not in a list"
            batch.promises_hold()


@pytest.mark.parametrize("step", STEPS[:3])
def test_a_container_that_dies_in_a_batch_leaves_no_rotation_half_done(
    step: str, wire: Wire, batched: Worlds, counted: list[str]
) -> None:
    """Three rotations share a container and its lists. It dies after any write of the last; a new one goes on."""
    batch = Batch(batched(), found=True)
    for name in NAMES:
        batch.ask(name)
    photo = batched.photo()

    def reached() -> Batch:
        batch = Batch(batched(photo))
        for name in NAMES[:2]:
            batch.steps(name)
        if step != STEPS[0]:
            batch.steps(NAMES[2], STEPS[STEPS.index(step) - 1])
        return batch

    names = wire.calls_of(reached().step(NAMES[2], step))
    for at in writes(names) or [0]:
        with case(counted, f"{step}: killed after {names[at]}"):
            batch = reached()
            invoke(wire, batch.step(NAMES[2], step), Accident(at, Fault.KILLED_AFTER, names[at]))
            batch.promises_hold()
            handler.build.cache_clear()
            batch.steps(NAMES[2])
            assert all(batch.held(NAMES[2])["hash"] in listed for listed in batch.listed())
            batch.promises_hold()

"""What an earlier rotation, a rollback or a missing secret leaves behind is never in the way of the next rotation."""

import time_machine

import key_planning.handler
from governor.keys.causes import CauseRow, CauseStore
from governor.ledger.dynamodb import DynamoLedger
from tests.faults.clients import client
from tests.faults.harness import Ended, Wire, context, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.driving import rotate
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.world import CAP, SECRET, WORKLOAD, World


def rolled_back(world: World, wire: Wire) -> None:
    """In quarantine: the former key is disabled, and its limit is what it had spent."""
    world.simulator.spend(world.first, 40.0)
    world.ask()
    assert rotate(world, attempts=1)
    world.later(hours=26)
    for _ in range(2):
        assert invoke(wire, world.tick()) == Ended.DONE
        world.later(minutes=10)
    assert world.own_keys()[world.first].disabled
    assert invoke(wire, world.roll_back()) == Ended.DONE


def test_a_key_given_back_may_spend_at_once_and_the_cap_holds(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    rolled_back(world, wire)
    assert world.secret()["api_key"] == world.plaintext
    assert world.simulator.ask(world.plaintext, 1.0).status == 200
    promises.the_cap_holds(world)


def test_after_a_rollback_the_key_can_be_rotated_again(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    rolled_back(world, wire)
    world.ask()
    assert rotate(world, attempts=1)
    assert world.secret()["api_key"] != world.plaintext


def test_a_rotation_refused_for_a_runaway_is_cleared_away_and_the_next_one_works(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    world.ask()
    assert rotate(world, attempts=1)
    wire.begin()
    store = CauseStore(DynamoLedger(client("dynamodb"), "ledger"))
    (runaway,) = store.write(CauseRow(WORKLOAD, "runaway", "disabled", "event-1", (), world.now))
    with time_machine.travel(world.now, tick=False):
        world.ask()
    refused = world.token
    assert not rotate(world, attempts=2)
    assert world.kinds()[-1] == "Rotation Failed"
    assert invoke(wire, world.tick()) == Ended.DONE
    assert "AWSPENDING" in world.stages()[refused], "Secrets Manager may still be trying"
    world.later(hours=2, minutes=-10)
    assert invoke(wire, world.tick()) == Ended.DONE
    assert "AWSPENDING" not in world.stages().get(refused, [])
    wire.begin()
    ended = CauseRow(WORKLOAD, "runaway", "lifted", "event-1", (), world.now, version=runaway.version)
    store.write(ended)
    world.ask()
    assert rotate(world, attempts=1)


def test_a_workload_without_a_secret_gets_one_and_its_rotation_is_asked_for(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    wire.begin()
    client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    assert invoke(wire, world.plan()) == Ended.DONE
    assert invoke(wire, world.work()) == Ended.DONE
    wire.begin()
    secret = client("secretsmanager").describe_secret(SecretId=SECRET)
    assert secret["RotationEnabled"]
    assert {"Key": "governor:workload", "Value": WORKLOAD} in secret["Tags"]
    assert ["AWSPENDING"] in secret["VersionIdsToStages"].values()


def test_a_request_made_while_another_rotation_is_unfinished_waits_in_the_queue(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    world.ask()
    event = world.request("Rotation Requested", requested_by="U0LEAD")
    assert invoke(wire, lambda: key_planning.handler.lambda_handler(event, context())) == Ended.DONE
    assert rotate(world, attempts=1)
    before = world.secret()["hash"]
    assert invoke(wire, world.work()) == Ended.DONE
    (pending,) = (id for id, stages in world.stages().items() if stages == ["AWSPENDING"])
    world.token = pending
    assert rotate(world, attempts=1)
    assert world.secret()["hash"] != before
    assert sum(key.limit for key in world.own_keys().values() if not key.disabled) <= CAP + 1e-6


def test_a_workload_that_has_no_secret_yet_fails_no_run(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    wire.begin()
    client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    assert invoke(wire, world.tick()) == Ended.DONE


def test_the_first_rotation_ever_refused_is_cleared_away_and_the_next_one_works(wire: Wire, fresh: Worlds) -> None:
    world = fresh()
    world.ask()
    refused = world.token
    world.simulator.organization.guardrails.clear()
    world.simulator.organization.key_assignments.clear()
    assert not rotate(world, attempts=1)
    assert world.kinds()[-1] == "Rotation Failed"
    world.later(hours=1, minutes=55)
    assert invoke(wire, world.tick()) == Ended.DONE
    assert refused not in world.stages()
    world.ask()

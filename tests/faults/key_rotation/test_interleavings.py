"""Random months in a workload's life: rotations, accidents, rollbacks, leaks, people who cancel and delete by hand.

Hypothesis chooses what happens next, and which accident befalls it. The promises hold after everything that happens;
when the accidents end all comes to rest: one live key, the one in the secret, in every list, with the whole cap.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import key_planning.handler
from tests.faults.harness import Accident, Ended, Fault, context, deliver, invoke
from tests.faults.key_rotation import promises
from tests.faults.key_rotation.opening import Worlds
from tests.faults.key_rotation.test_second_rotation import cancelled
from tests.faults.key_rotation.world import CAP, STEPS, WORKLOAD

LIVES = 100
HAPPENINGS = 25
"""In one life, at most."""
ACCIDENTS = st.one_of(
    st.just(()),
    st.tuples(st.builds(Accident, st.integers(0, 25), st.sampled_from(list(Fault)), lasting=st.booleans())),
)
_REFUSED = ("isn't complete", "enable rotation")
"""What Secrets Manager says to a person who rotates or cancels at the wrong time."""


class Life(RuleBasedStateMachine):
    """One workload's. The test sets `fresh` and `counted`."""

    fresh: Worlds
    counted: list[str]

    @initialize(spent=st.sampled_from([0.0, 40.0]))
    def begin(self, spent: float) -> None:
        self.world = self.fresh()
        self.world.simulator.spend(self.world.first, spent)
        self.requests = 0
        self.heard = 0
        self.last: Callable[[], object] | None = None

    # --- what Secrets Manager, the schedules and the queue do -------------------------------------------------------
    @rule()
    def a_rotation_is_asked_for(self) -> None:
        _refusable(self.world.ask)

    @rule(accident=ACCIDENTS, met=st.sampled_from(STEPS))
    def the_four_steps_run(self, accident: tuple[Accident, ...], met: str = STEPS[0]) -> None:
        for name in STEPS:
            self.last = self.world.step(name)
            if self._happens(self.last, accident if name == met else ()) != Ended.DONE:
                return

    @precondition(lambda self: self.last is not None)
    @rule(accident=ACCIDENTS)
    def the_last_step_comes_again(self, accident: tuple[Accident, ...]) -> None:
        """As an invocation does whose answer was lost; within minutes, not days."""
        assert self.last
        self._happens(self.last, accident)

    @rule(accident=ACCIDENTS, minutes=st.sampled_from([10, 70, 60 * 26, 60 * 24 * 9]))
    def time_passes_to_a_tick(self, accident: tuple[Accident, ...], minutes: int) -> None:
        self.world.later(minutes=minutes)
        self.last = self.last if minutes <= 10 else None
        self._happens(self.world.tick(), accident)

    @rule(accident=ACCIDENTS)
    def the_planner_and_its_queue_work(self, accident: tuple[Accident, ...]) -> None:
        self._happens(self.world.plan(), accident)
        if self.world.queued():
            self._happens(self.world.work(), accident)
            self._take_up_what_is_pending()

    # --- what people and programs do --------------------------------------------------------------------------------
    @rule(usd=st.sampled_from([0.01, 0.5]), which=st.sampled_from(["AWSCURRENT", "AWSPREVIOUS"]))
    def a_consumer_asks(self, usd: float, which: str) -> None:
        """By the key as the secret has it, or as a cache still has it."""
        held = self.world.secret(which)
        if held.get("api_key"):
            self.world.simulator.ask(held["api_key"], usd)

    @rule(accident=ACCIDENTS)
    def an_approver_rolls_back(self, accident: tuple[Accident, ...]) -> None:
        run = self.world.roll_back(id=self._request())
        self._happens(run, accident, delivered=True)

    @rule(accident=ACCIDENTS, all_keys=st.booleans())
    def an_approver_reports_a_leak(self, accident: tuple[Accident, ...], all_keys: bool) -> None:
        current = self.world.secret().get("hash", self.world.first)
        run = self.world.leak(self._request(), WORKLOAD if all_keys else current)
        self._happens(run, accident, delivered=True)
        self._hear_of_leaks()

    @rule(accident=ACCIDENTS)
    def an_approver_restores(self, accident: tuple[Accident, ...]) -> None:
        self._happens(self.world.restore("exposed", self._request()), accident, delivered=True)

    @rule()
    def somebody_cancels_and_rotates_anew(self) -> None:
        _refusable(lambda: cancelled(self.world))

    @rule()
    def somebody_deletes_the_pending_key(self) -> None:
        pending, current = self.world.secret("AWSPENDING"), self.world.secret()
        if pending.get("hash") in self.world.own_keys() and pending.get("hash") != current.get("hash"):
            self.world.simulator.organization.delete_key(pending["hash"])

    # --- what holds at every moment ---------------------------------------------------------------------------------
    @invariant()
    def the_promises_hold(self) -> None:
        if hasattr(self, "world"):
            promises.the_cap_holds(self.world)
            promises.nothing_is_said_that_is_secret(self.world)
            promises.nothing_is_revived(self.world)
            if not self._current_is_held():
                promises.the_secret_works(self.world)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._come_to_rest()
            promises.all_is_at_rest(self.world)

    # --- the machine's own ------------------------------------------------------------------------------------------
    def _happens(self, run: Any, accident: tuple[Accident, ...], *, delivered: bool = False) -> Ended:
        self.counted.append(f"{accident}")
        return (deliver if delivered else invoke)(self.world.wire, run, *accident)

    def _request(self) -> str:
        self.requests += 1
        return f"request-{self.requests}"

    def _hear_of_leaks(self) -> None:
        """EventBridge brings each Key Disabled to the planner, which asks for a new key at once."""
        for entry in self.world.told[self.heard :]:
            if entry["DetailType"] == "Key Disabled" and entry["Detail"]["evidence"]["cause"] == "exposed":
                event = {**self.world.request("Key Disabled"), "detail": entry["Detail"]}
                deliver(self.world.wire, partial(key_planning.handler.lambda_handler, event, context()))
        self.heard = len(self.world.told)
        self._take_up_what_is_pending()

    def _take_up_what_is_pending(self) -> None:
        """The token whose steps run is the one that Secrets Manager has pending."""
        for id, labels in self.world.stages().items():
            if labels == ["AWSPENDING"]:
                self.world.token = id

    def _current_is_held(self) -> bool:
        current = self.world.secret().get("hash", self.world.first)
        return any(current in row.hashes for row in self.world.causes().standing())

    def _come_to_rest(self) -> None:
        """No accidents any more: restores, Secrets Manager's repeats, runs, and three weeks."""
        world = self.world
        if world.causes().standing():
            assert deliver(world.wire, world.restore("exposed", self._request())) == Ended.DONE
        for hours in (0, 2, 26, 26, 26, 26, 24 * 9, 26, 24 * 9, 24 * 35):
            world.later(hours=hours)
            self._take_up_what_is_pending()
            for step in STEPS if "AWSPENDING" in world.stages().get(world.token, []) else ():
                if invoke(world.wire, world.step(step)) != Ended.DONE:
                    break
            for _ in range(3):
                assert invoke(world.wire, world.tick()) == Ended.DONE
                self.the_promises_hold()
                world.later(minutes=10)


def _refusable(ask: Any) -> None:
    try:
        ask()
    except ClientError as error:
        if not any(words in str(error) for words in _REFUSED):
            raise


def test_whatever_happens_in_whatever_order_the_promises_hold(fresh: Worlds, counted: list[str]) -> None:
    class Lived(Life):
        pass

    Lived.fresh, Lived.counted = fresh, counted
    run_state_machine_as_test(
        Lived,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=HAPPENINGS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            phases=(Phase.generate,),  # to shrink a life takes minutes; its happenings are printed as they are
            report_multiple_bugs=False,
        ),
    )


def test_the_cap_is_whole_again_in_a_new_month_of_a_quiet_life(fresh: Worlds) -> None:
    life = type("Quiet", (Life,), {"fresh": fresh, "counted": []})()
    life.begin(40.0)
    life.a_rotation_is_asked_for()
    life.the_four_steps_run(())
    life.teardown()
    assert {key.limit for key in life.world.own_keys().values()} == {CAP}

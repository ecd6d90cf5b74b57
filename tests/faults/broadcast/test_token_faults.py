"""Broadcast's token is replaced: whatever dies, and in whatever order, no delivery is refused, and run again it ends.

Deliveries go on all the time: each destination shows its header, every minute of a wait and after each call, to
three containers of the gateway that read the secret at times of their own.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from moto import mock_aws

from governor.broadcast.header_token import HeaderToken
from tests.faults.harness import case
from tests.unit.cli.broadcasting import SECRET, Broadcasting

STEP = 60
"""Seconds of a wait between two deliveries."""


class Died(Exception):
    """The process is gone."""


class Crossing(httpx.BaseTransport):
    """Counts what changes something at OpenRouter."""

    def __init__(self, running: "Running", transport: httpx.BaseTransport) -> None:
        self._running, self._transport = running, transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._transport.handle_request(request)
        answer: httpx.Response = self._running.cross("PATCH", lambda: self._transport.handle_request(request))
        return answer


class Running:
    """A command line whose outside effects are counted; it dies before or after those that `dies` names."""

    def __init__(self, folder: Path) -> None:
        self.broadcasting = Broadcasting(folder)
        assert self.broadcasting.run("setup").code == 0
        self.broadcasting.on_sleep, self.broadcasting.wrap = self.sleep, self._wrapped
        self.broadcasting.through = lambda transport: Crossing(self, transport)
        self.dies: dict[int, str] = {}
        self.changed = self.broadcasting.at
        self.effects: list[str] = []
        self.containers = [
            HeaderToken(self.broadcasting.secrets, SECRET, lambda: self.broadcasting.at.timestamp()) for _ in range(3)
        ]

    def cross(self, name: str, effect: Callable[[], Any]) -> Any:
        dies = self.dies.pop(len(self.effects), "")
        self.effects.append(name)
        if dies == "before":
            raise Died
        answer = effect()
        if name.startswith(("put", "update")):
            self.changed = self.broadcasting.at
        self.deliver()
        if dies == "after":
            raise Died
        return answer

    def sleep(self, seconds: float) -> None:
        def wait() -> None:
            left = seconds
            while left > 0:
                self.broadcasting.at += timedelta(seconds=min(STEP, left))
                left -= STEP
                self.deliver()

        self.cross("sleep", wait)

    def deliver(self) -> None:
        for token, container in itertools.product(self.broadcasting.sent(), self.containers):
            assert container.fits(token), "a genuine delivery was refused"

    def run(self) -> int:
        try:
            return self.broadcasting.run("rotate").code
        except Died:
            return -1

    def _wrapped(self, client: Any) -> Any:
        running = self

        class Client:
            """moto's, but that a secret was changed when this clock says so."""

            def describe_secret(self, SecretId: str) -> Any:
                return {**client.describe_secret(SecretId=SecretId), "LastChangedDate": running.changed}

            def __getattr__(self, name: str) -> Any:
                call = getattr(client, name)
                return (
                    (lambda **given: running.cross(name, lambda: call(**given)))
                    if name.startswith(("put", "update"))
                    else call
                )

        return Client()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with mock_aws():
        yield Running(tmp_path)


EFFECTS = ["PATCH", "put", "update", "sleep", "PATCH", "PATCH", "sleep", "put", "update"]


def ended(running: Running, former: str) -> None:
    """One token that is not the former, and every destination sends it."""
    held = running.broadcasting.stored()
    assert held.keys() == {"token"}
    assert held["token"] != former
    assert running.broadcasting.sent() == [held["token"]] * 2


def test_the_token_is_replaced_and_not_one_delivery_is_refused_meanwhile(running: Running) -> None:
    former = running.broadcasting.stored()["token"]
    assert running.run() == 0
    assert [name.partition("_")[0] for name in running.effects] == EFFECTS
    ended(running, former)


def test_it_may_die_at_any_effect_twice_and_what_is_run_again_goes_on_with_the_same_token(
    tmp_path: Path, counted: list[str]
) -> None:
    ways = [(at, when) for at in range(len(EFFECTS)) for when in ("before", "after")]
    for first, second in itertools.product(ways, [None, *ways]):
        with case(counted, f"dies {first}, then {second}"), mock_aws():
            running = Running(tmp_path)
            former = running.broadcasting.stored()["token"]
            running.dies = {first[0]: first[1]}
            assert running.run() == -1
            seen = {running.broadcasting.stored()["token"]}
            if second is not None:
                running.dies = {len(running.effects) + second[0]: second[1]}
                running.run()
                seen.add(running.broadcasting.stored()["token"])
            running.dies = {}
            # A run that died after its last effect was done, and the next one replaces the token once more.
            assert running.run() == 0
            ended(running, former)
            running.deliver()


def test_two_people_at_once_end_with_one_token_that_is_taken_everywhere(tmp_path: Path, counted: list[str]) -> None:
    for at in range(len(EFFECTS)):
        with case(counted, f"another begins at effect {at}"), mock_aws():
            running = Running(tmp_path)
            former = running.broadcasting.stored()["token"]
            cross = running.cross
            begun: list[int] = []

            def meddled(
                name: str, effect: Callable[[], Any], at: int = at, cross: Any = cross, begun: list[int] = begun,
                running: Running = running,
            ) -> Any:  # fmt: skip
                if len(running.effects) == at and not begun:
                    begun.append(at)
                    assert running.broadcasting.run("rotate").code == 0
                return cross(name, effect)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(running, "cross", meddled)
                running.run()
            assert begun
            assert running.run() == 0
            ended(running, former)


def test_a_destination_that_cannot_be_changed_keeps_the_former_token_in_use(
    running: Running, counted: list[str]
) -> None:
    former = running.broadcasting.stored()["token"]
    # The first change of all proves that the key may write, and is none of the token.
    path = "/observability/destinations/{id}"
    running.broadcasting.simulator.fault(path, "fail_before", method="PATCH", status=403, after=1)
    assert running.run() == 1
    assert running.broadcasting.stored()["former"] == former
    assert former in running.broadcasting.sent()
    assert running.run() == 0
    ended(running, former)

"""Each command, interrupted at each request and each wait: it says so, ends with 130, and leaves nothing half-written.

A real signal to a real process: tests/contract/cli/test_interrupts.py.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli.surroundings import COMMANDS, PIECES, TOKEN, WORKLOAD, Command, Desk

IN_THREADS = ("doctor", "explain")
"""They ask in threads, which no signal reaches: a signal is the main thread's."""


def at(number: int) -> Callable[[], None]:
    """Interrupts at the request that has this number, counted from 0."""
    left = [number]

    def now() -> None:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt

    return now


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_interrupted_it_says_so_and_leaves_all_as_it_was(desk: Desk, command: Command) -> None:
    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    files, far = desk.files(), desk.far()
    desk.on_request = interrupted
    ran = desk.run(command)
    assert (ran.code, ran.stdout) == (130, "")
    assert ran.stderr.endswith("Interrupted.\n")
    assert (desk.files(), desk.far()) == (files, far)


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.name not in IN_THREADS], ids=str)
def test_wherever_it_is_interrupted_its_files_are_whole_and_run_again_it_ends(desk: Desk, command: Command) -> None:
    before, number = desk.files(), 0
    while True:
        desk.on_request = at(number)
        ran = desk.run(command)
        if ran.code != 130:
            break
        assert ran.stdout == ""
        assert ran.stderr.endswith("Interrupted.\n")
        assert desk.files() == before, "what is written is written after the last request"
        number += 1
    assert number >= 2
    assert ran.code == command.code, ran.stderr
    _assert_whole(desk, command, before)


def _assert_whole(desk: Desk, command: Command, before: dict[str, bytes]) -> None:
    made = {"import": {"new.yaml"}, "plan": {"plan.html"}}.get(command.name, set())
    made = made | ({f"there/{name}" for name in PIECES} if "--save" in command.words else set())
    assert desk.files().keys() == before.keys() | made
    held = desk.far()
    sent = {one["config"]["headers"]["x-governor-broadcast"] for one in held["destinations"]}
    assert "former" not in held["secret"]
    assert sent == {held["secret"]["token"]}
    assert (held["secret"]["token"] == TOKEN) == (command.name != "broadcast rotate")
    assert len(held["destinations"]) == 1


@pytest.mark.parametrize(
    ("number", "says", "sent"),
    [(1, "may have been sent: look into the channel", False), (2, "was sent, and may yet be done", True)],
)
def test_whoever_interrupts_an_order_is_told_whether_it_is_on_its_way(
    desk: Desk, number: int, says: str, sent: bool
) -> None:
    desk.on_request = at(number)
    ran = desk.run(Command("disable", WORKLOAD))
    assert ran.code == 130
    assert says in " ".join(ran.stderr.split())
    assert bool(desk.stack.entries) == sent


def test_whoever_interrupts_the_tokens_replacement_is_told_that_both_are_taken(desk: Desk) -> None:
    rotate = next(one for one in COMMANDS if one.name == "broadcast rotate")
    number = 0
    while "former" not in desk.far()["secret"]:
        desk.on_request = at(number)
        ran = desk.run(rotate)
        assert ran.code == 130
        number += 1
    assert "both go on being taken. Run the command again." in " ".join(ran.stderr.split())

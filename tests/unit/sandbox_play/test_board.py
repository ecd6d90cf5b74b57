"""The parts of the page: only what has changed is sent, and no part or reader too many."""

import json

import pytest

from sandbox.play.snapshot import MOST_BYTES, READERS, Board, Full


def test_a_reader_hears_only_what_has_changed_since() -> None:
    board = Board()
    board.show({"keys": [1], "slack": {}})
    revision, first = board.since(0)
    assert json.loads(first) == {"keys": [1], "slack": {}}
    board.show({"keys": [1], "slack": {"said": "<&> \n"}})
    revision, second = board.since(revision)
    assert json.loads(second) == {"slack": {"said": "<&> \n"}}
    assert "\n" not in second, "a line of the stream is one event"
    assert board.since(revision)[1] == ""


def test_readers_are_woken_by_a_change_and_by_nothing_else() -> None:
    board, woken = Board(), []
    with board.listening(lambda: woken.append(1)):
        board.show({"keys": []})
        board.show({"keys": []})
        assert len(woken) == 1
    board.show({"keys": [1]})
    assert len(woken) == 1


def test_readers_and_parts_are_bounded() -> None:
    board = Board()
    contexts = [board.listening(lambda: None) for _ in range(READERS)]
    for one in contexts:
        one.__enter__()
    with pytest.raises(Full), board.listening(lambda: None):
        pass
    for one in contexts:
        one.__exit__(None, None, None)
    with pytest.raises(ValueError, match="slack"):
        board.show({"slack": "x" * MOST_BYTES})

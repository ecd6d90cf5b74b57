"""Every word of `/governor` can be completed, and names something of this account."""

from approval_desk.parsing import MEANING, USAGE, typed
from sandbox.play.words import completions

OF_AN_ORDER = {word for word, places in USAGE.items() if places == "<order>"}


def test_every_word_is_completed_but_those_about_an_order_whose_id_is_in_its_message() -> None:
    offered = {one["text"].split()[0] for one in completions()}
    assert offered == set(USAGE) - OF_AN_ORDER
    assert {"pause", "resume", "stop"} == OF_AN_ORDER


def test_what_is_offered_has_its_meaning_and_is_understood() -> None:
    for one in completions():
        assert one["meaning"] == MEANING[one["text"].split()[0]]
        assert typed(one["text"]).verb != "hint"

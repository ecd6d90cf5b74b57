"""A bulk order is written once, people's last word stands, and a frozen key tells what became of its lineage."""

from datetime import UTC, datetime

import pytest

from governor.keys.bulk_order import MOST, BulkOrder, BulkOrders, Frozen, Word, asker, entitled, order_of, token_of
from governor.keys.lineage import Lineage, LineageKey
from governor.ledger import MemoryLedger, Put
from governor.ledger.dynamodb import _item

NOW = datetime(2026, 3, 11, 2, 44, tzinfo=UTC)
ORDER = BulkOrder("id", "owner", "U0OWNER", "they left", (Frozen("prod-a", "a" * 16), Frozen("prod-b")))


def test_an_order_is_stored_once_and_read_as_it_was() -> None:
    orders = BulkOrders(MemoryLedger())
    assert orders.get("id") is None
    assert orders.freeze(ORDER, NOW) == ORDER
    other = BulkOrder("id", "all", "", "else", ())
    assert orders.freeze(other, NOW) == ORDER
    stored = orders.get("id")
    assert stored == ORDER
    assert stored.digest == ORDER.digest


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        (["pause"], "pause"), (["pause", "resume"], "resume"), (["pause", "pause"], "pause"),
        (["stop", "resume"], "stop"), (["pause", "stop", "pause"], "stop"),
    ],
)  # fmt: skip
def test_the_last_word_stands_and_nothing_follows_a_stop(words: list[Word], stands: Word) -> None:
    orders = BulkOrders(MemoryLedger())
    assert orders.said("id") is None
    for number, word in enumerate(words):
        orders.say("id", word, f"U{number}", NOW)
    said = orders.said("id")
    assert said
    assert said.word == stands
    assert said.turn == len({*words[: words.index(stands) + 1]})


def test_a_lineage_is_done_when_a_rotation_put_another_key_in_the_frozen_ones_place() -> None:
    def lineage(hash: str, token: str) -> Lineage:
        return Lineage("prod-a", (LineageKey(hash, "n", "current", NOW, token=token),))

    frozen = Frozen("prod-a", "a" * 16)
    assert not frozen.is_replaced(lineage("a" * 64, "t"))
    assert frozen.is_replaced(lineage("b" * 64, "t"))
    assert not frozen.is_replaced(lineage("b" * 64, ""))  # put there by hand
    assert not frozen.is_replaced(Lineage("prod-a"))
    unknown = Frozen("prod-a")
    assert not unknown.is_replaced(lineage("a" * 64, ""))
    assert unknown.is_replaced(lineage("a" * 64, "t"))


def test_each_rotation_of_an_order_has_a_token_of_its_own_and_knows_its_order() -> None:
    tokens = {token_of(workload, asker(id)) for workload in ("a", "b") for id in ("1", "2")}
    assert len(tokens) == 4
    assert order_of(asker("id")) == "id"
    assert order_of("plan 2026-03-11") == ""


def test_the_yes_of_whoever_asked_of_a_stranger_or_of_one_person_twice_is_none() -> None:
    approvers = ("U1", "U2", "U3")
    assert entitled(approvers, ("U1", "U2"), "U9") == ("U1", "U2")
    assert entitled(approvers, ("U1", "U1"), "U9") == ("U1",)
    assert entitled(approvers, ("U1", "U2"), "U2") == ("U1",)
    assert entitled(approvers, ("U1", "U8"), "U9") == ("U1",)


def test_the_largest_order_fits_a_row() -> None:
    whole = BulkOrder("f" * 64, "all", "", "x" * 500, tuple(Frozen("w" * 63, "a" * 16) for _ in range(MOST)))
    held = _item(Put("bulk", whole.id, whole.data()))["data"]["S"]
    assert len(held.encode()) < 390_000

"""Where a lost POST went, what is stale, what is due, and which orders are refused."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.clock import parse_instant
from governor.ledger import MemoryLedger
from preset_promotion.content import Content, differences, remains_of
from preset_promotion.decide import drifted, due, named, refusal, stale, whereabouts
from preset_promotion.record import Candidate, Finishing, Posting, Record, Seen, Served
from tests.unit.preset_promotion.samples import content

NOW = parse_instant("2026-03-11T09:00:00Z")
WANTED, OTHER = content(temperature=0.7), content("Somebody else's.")
REMAINS = Content(WANTED.prompt, {"model": WANTED.config["model"]})
POSTING = Posting("p", "promotion", "U0DEV", "a", "from", Seen(2, "w"), Seen(5, "f"), newest=5, until=NOW)


@pytest.mark.parametrize(
    ("versions", "seconds", "found"),
    [
        ({5: OTHER}, -1, ("in_hand", 0)),
        ({5: OTHER}, 0, ("absent", 0)),
        ({5: WANTED}, 0, ("absent", 0)),
        ({6: WANTED}, -1, ("landed", 6)),
        ({6: REMAINS}, 0, ("landed", 6)),
        ({6: REMAINS, 7: WANTED}, 0, ("landed", 7)),
        ({6: WANTED, 7: OTHER}, 0, ("landed", 6)),
        ({6: OTHER}, 0, ("overtaken", 6)),
        ({6: Content(None, {})}, 0, ("overtaken", 6)),
    ],
)
def test_a_post_that_may_have_been_made_is_found_by_what_it_holds(
    versions: dict[int, Content], seconds: float, found: tuple[str, int]
) -> None:
    where = whereabouts(POSTING, WANTED, versions, NOW + timedelta(seconds=seconds))
    assert (where.rule, where.version) == found


def test_an_answered_post_is_waited_for_no_more_and_a_known_version_is_not_looked_for() -> None:
    early = NOW - timedelta(seconds=30)
    assert whereabouts(POSTING, WANTED, {}, early, answered=True).rule == "absent"
    assert whereabouts(replace(POSTING, landed=9), WANTED, {6: OTHER}, early).version == 9


def test_fields_that_were_dropped_changed_or_added_are_named() -> None:
    assert differences(WANTED, REMAINS) == ("temperature",)
    assert differences(WANTED, replace(WANTED, prompt=None)) == ("system_prompt",)
    assert differences(REMAINS, WANTED) == ("temperature",)
    assert differences(content(temperature=1), content(temperature=1.0)) == ()
    assert not remains_of(REMAINS, WANTED)
    assert named([str(number) for number in range(12)]).endswith("9, …")


def test_a_candidate_is_stale_when_either_side_moved() -> None:
    candidate = Candidate("c", Seen(2, "x"), Seen(5, "y"), "U0DEV")
    assert stale(candidate, Seen(2, "x"), Seen(5, "y")) is None
    assert stale(candidate, Seen(3, "z"), Seen(6, "y")) == "candidate_changed"
    assert stale(candidate, Seen(2, "x"), Seen(6, "y")) == "production_changed"


def test_a_new_version_is_due_once_and_not_when_production_holds_the_same() -> None:
    record = Record("slug", taken_up=2)
    assert due(record, Seen(3, "new"), Seen(5, "old"))
    assert not due(record, Seen(2, "new"), Seen(5, "old"))
    assert not due(record, Seen(3, "same"), Seen(5, "same"))


def test_drift_is_by_number_and_content_and_told_once() -> None:
    record = Record("slug", served=Served(Seen(5, "y")))
    assert not drifted(record, Seen(5, "y"))
    assert drifted(record, Seen(6, "y"))
    assert drifted(record, Seen())
    assert not drifted(replace(record, drifted=6), Seen(6, "y"))
    assert not drifted(replace(record, posting=POSTING), Seen(6, "y"))
    assert not drifted(Record("slug"), Seen(6, "y"))


PROMOTED = Served(Seen(6, "w"), "promotion-1", Seen(5, "f"))


@pytest.mark.parametrize(
    ("kind", "change", "served", "live", "rule"),
    [
        ("rollback", {"promotion": "promotion-1"}, PROMOTED, Seen(6, "w"), None),
        ("rollback", {"promotion": ""}, PROMOTED, Seen(6, "w"), None),
        ("rollback", {"promotion": "promotion-0"}, PROMOTED, Seen(6, "w"), "not_the_last"),
        ("rollback", {}, None, Seen(6, "w"), "not_the_last"),
        ("rollback", {}, PROMOTED, Seen(7, "z"), "production_changed"),
        ("rollback", {}, Served(Seen(6, "w")), Seen(6, "w"), "no_former"),
        ("revert", {"version": "7"}, PROMOTED, Seen(7, "z"), None),
        ("revert", {"version": "7"}, PROMOTED, Seen(8, "z"), "production_changed"),
        ("revert", {"version": "7"}, None, Seen(7, "z"), "no_former"),
        ("adopt", {"version": "7"}, None, Seen(7, "z"), None),
        ("adopt", {"version": "6"}, PROMOTED, Seen(6, "w"), "not_drifted"),
        ("revert", {"version": "6"}, PROMOTED, Seen(6, "w"), "not_drifted"),
        ("adopt", {"version": "0"}, PROMOTED, Seen(), "production_changed"),
        ("adopt", {}, PROMOTED, Seen(7, "z"), "production_changed"),
    ],
)
def test_an_order_is_bound_to_what_production_serves(
    kind: str, change: dict[str, Any], served: Served | None, live: Seen, rule: str | None
) -> None:
    assert refusal(kind, change, Record("slug", served=served), live) == rule


def test_a_record_is_what_was_written() -> None:
    ledger = MemoryLedger()
    candidate = Candidate("c", Seen(2, "x"), Seen(5, "y"), "U0DEV", status="asked", until=NOW, shown=("line",))
    record = Record("slug", True, PROMOTED, 2, candidate, POSTING, 6, ({"id": "e"},), Finishing("a", "failed", "smoke"))
    ledger.commit(record.put())
    assert Record.read(ledger, "slug") == replace(record, row=1)
    assert Record.read(ledger, "other") == Record("other")

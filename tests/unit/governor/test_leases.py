"""A reading is shared within its lease and not beyond, and whoever borrowed one can tell."""

from datetime import UTC, datetime, timedelta

import pytest

from governor.account.leases import Leases

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class List:
    """Counts how often it is read. `length`: of the list."""

    def __init__(self, length: int = 1) -> None:
        self.length, self.reads = length, 0

    def __call__(self) -> list[int]:
        self.reads += 1
        return [0] * self.length


@pytest.mark.parametrize(("later", "reads"), [(0, 1), (59, 1), (60, 2), (-1, 2)])
def test_a_reading_is_shared_within_its_lease_and_not_from_the_future(later: int, reads: int) -> None:
    leases, found = Leases(), List()
    leases.read("keys", MINUTE, NOW, found)
    leases.read("keys", MINUTE, NOW + timedelta(seconds=later), found)
    assert found.reads == reads


def test_a_list_of_a_hundred_pages_lives_five_minutes_longer() -> None:
    leases, found = Leases(), List(10_000)
    leases.read("keys", MINUTE, NOW, found)
    leases.read("keys", MINUTE, NOW + timedelta(minutes=5, seconds=59), found)
    assert found.reads == 1
    leases.read("keys", MINUTE, NOW + timedelta(minutes=6), found)
    assert found.reads == 2


def test_whoever_borrowed_can_tell_until_the_next_begins() -> None:
    leases, found = Leases(), List()
    leases.read("keys", MINUTE, NOW, found)
    assert not leases.borrowed
    leases.read("keys", MINUTE, NOW, found)
    assert leases.borrowed
    leases.begin()
    assert not leases.borrowed


def test_what_is_dropped_is_read_again_and_nothing_else() -> None:
    leases, one, other = Leases(), List(), List()
    for name, found in (("one", one), ("other", other)):
        leases.read(name, MINUTE, NOW, found)
    leases.drop("one")
    for name, found in (("one", one), ("other", other)):
        leases.read(name, MINUTE, NOW, found)
    assert (one.reads, other.reads) == (2, 1)


def test_a_reading_that_fails_is_not_kept() -> None:
    leases, found = Leases(), List()

    def fail() -> list[int]:
        raise OSError("unread")

    with pytest.raises(OSError, match="unread"):
        leases.read("keys", MINUTE, NOW, fail)
    leases.read("keys", MINUTE, NOW, found)
    assert found.reads == 1

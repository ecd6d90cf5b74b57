"""What DynamoDB bills for a call, by the size of what is read and written."""

import pytest

from tests.bench.workers.capacity import Capacity, size

KEY = {"pk": {"S": "a"}}


def item(amount: int) -> dict[str, dict[str, str]]:
    """An item of so many bytes."""
    made = {**KEY, "data": {"S": "x" * (amount - 7)}}
    assert size(made) == amount
    return made


def read(operation: str, answer: object, *, consistent: bool = True) -> float:
    capacity = Capacity()
    capacity.count(operation, {"ConsistentRead": consistent}, answer)  # type: ignore[arg-type]  # one of boto3's
    assert capacity.written == 0
    return capacity.read


def written(operation: str, **given: object) -> float:
    capacity = Capacity()
    capacity.count(operation, given, {})
    assert capacity.read == 0
    return capacity.written


@pytest.mark.parametrize(("amount", "units"), [(10, 1), (4096, 1), (4097, 2), (12_288, 3)])
def test_a_consistent_read_takes_a_unit_for_four_kilobytes(amount: int, units: int):
    assert read("GetItem", {"Item": item(amount)}) == units


def test_a_query_is_billed_by_the_sum_of_what_it_answers_and_an_eventual_one_by_half():
    answer = {"Items": [item(1000)] * 10}
    assert read("Query", answer) == 3
    assert read("Query", answer, consistent=False) == 1.5


def test_what_finds_nothing_still_takes_a_unit():
    assert read("GetItem", {}) == 1
    assert read("Query", {"Items": []}) == 1


@pytest.mark.parametrize(("amount", "units"), [(10, 1), (1024, 1), (1025, 2)])
def test_a_write_takes_a_unit_for_a_kilobyte_and_in_a_transaction_two(amount: int, units: int):
    assert written("PutItem", Item=item(amount)) == units
    writes = [{"Put": {"Item": item(amount)}}, {"Delete": {"Key": KEY}}]
    assert written("TransactWriteItems", TransactItems=writes) == 2 * units + 2


def test_calls_to_other_services_take_none_and_a_cleared_count_is_none():
    assert read("PutEvents", {}) == 0
    capacity = Capacity()
    capacity.count("GetItem", {}, {})
    capacity.clear()
    assert (capacity.read, capacity.written) == (0, 0)


def test_letters_outside_ascii_count_as_the_bytes_they_take():
    assert size({"a": {"S": "é"}, "n": {"N": "12"}}) == 1 + 2 + 1 + 2

"""What the rotation bench computes of Lambda, where it cannot measure it."""

import pytest

from tests.bench.rotation_model import SHARE, Need, least_at_once, script, steps, ticks, ticks_needed
from tests.bench.rotation_owners import REST, owner

NEED = Need(requests=6, calls=30, processor=0.029)


def test_a_rotation_waits_for_openrouter_and_aws_and_computes_with_its_containers_share() -> None:
    assert NEED.seconds(0.05, 0.01) == pytest.approx(0.3 + 0.3 + 0.029 * 1769 / 1024)


def test_containers_compute_side_by_side() -> None:
    assert steps(NEED, 100, 10, 0.05, 0.0) == pytest.approx(10 * NEED.seconds(0.05, 0.0))
    assert steps(NEED, 101, 10, 0.05, 0.0) == pytest.approx(11 * NEED.seconds(0.05, 0.0))


def test_threads_of_one_container_wait_side_by_side_and_compute_in_turn() -> None:
    assert ticks(NEED, 100, 2, 0.05, 0.0) == pytest.approx(50 * NEED.seconds(0.05, 0.0))
    assert ticks(NEED, 100, 50, 0.05, 0.0) == pytest.approx(100 * 0.029 / SHARE)


def test_what_does_not_fit_in_a_run_is_left_to_the_next() -> None:
    assert [ticks_needed(seconds) for seconds in (1, 116, 117)] == [1, 1, 2]


def test_the_containers_that_a_ratio_takes_keep_it_and_one_less_does_not() -> None:
    tenth = script(1, 0.05, 0.01) / 10
    least = least_at_once(NEED, tenth, 0.05, 0.0)
    assert NEED.seconds(0.05, 0.0) / least <= tenth < NEED.seconds(0.05, 0.0) / (least - 1)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/a/functions/key_rotation/key_rotation/service.py", "functions"),
        ("/a/layers/governor/src/governor/keys/lineage.py", "layers"),
        ("/a/site-packages/httpcore/_sync/http11.py", "httpx and its HTTP"),
        ("/a/site-packages/botocore/client.py", "boto3 and its HTTP"),
        ("/a/lib/python3.13/json/decoder.py", REST),
    ],
)
def test_time_is_told_by_the_file_that_a_function_stands_in(path: str, part: str) -> None:
    assert owner(path) == part

"""Rotation's world, whose one workload has an allowance."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.harness import Wire
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import ENVIRONMENT, POLICY
from tests.faults.stage import client

ALLOWING: dict[str, Any] = copy.deepcopy(POLICY)
ALLOWING["workloads"][0]["key"]["allowance"] = {"covers": "6h"}


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def fresh(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, ALLOWING) as stage:
        stage()
        client("s3").create_bucket(Bucket=ENVIRONMENT["READING_BUCKET"])
        yield stage

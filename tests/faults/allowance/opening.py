"""Rotation's world, whose one workload has an allowance, and the bucket in which the meter says what it needs."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from governor.keys.allowance import Need, Needs
from governor.storage.s3_readings import NEEDS
from tests.faults.clients import client
from tests.faults.harness import Wire
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import ENVIRONMENT, POLICY, WORKLOAD, World

NEED = 10.0
BUCKET = ENVIRONMENT["READING_BUCKET"]
ALLOWING: dict[str, Any] = copy.deepcopy(POLICY)
ALLOWING["workloads"][0]["key"]["allowance"] = {"covers": "6h"}


@contextmanager
def allowing(wire: Wire) -> Iterator[Worlds]:
    """Worlds with a bucket, which no world but the last to write has changed."""
    with worlds(wire, ALLOWING) as stage:
        stage()
        client("s3").create_bucket(Bucket=BUCKET)
        yield stage


def says(world: World, need: Need | None = None) -> None:
    """The meter's word, of this minute."""
    world.wire.begin()
    needs = Needs(int(world.now.timestamp() // 60), {WORKLOAD: need or Need(NEED, due=True)})
    client("s3").put_object(Bucket=BUCKET, Key=NEEDS, Body=needs.encode())

"""Rotation's world, whose one workload has an allowance, and the bucket in which the meter says what it needs."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import boto3

from governor.allowance import Need, Needs
from governor.aws import AWS
from governor.s3_reading_store import NEEDS
from tests.faults.harness import Wire
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.world import ENVIRONMENT, POLICY, WORKLOAD, World
from tests.faults.stage import REGION, Session

NEED = 10.0
BUCKET = ENVIRONMENT["READING_BUCKET"]
_AWS = boto3.session.Session
ALLOWING: dict[str, Any] = copy.deepcopy(POLICY)
ALLOWING["workloads"][0]["key"]["allowance"] = {"covers": "6h"}


@contextmanager
def allowing(wire: Wire) -> Iterator[Worlds]:
    """Worlds with a bucket, which no world but the last to write has changed."""
    _s3.cache_clear()
    with worlds(wire, ALLOWING) as stage, mock.patch("boto3.session.Session", _WithS3):
        stage()
        _s3().create_bucket(Bucket=BUCKET)
        yield stage


def says(world: World, need: Need | None = None) -> None:
    """The meter's word, of this minute."""
    world.wire.begin()
    needs = Needs(int(world.now.timestamp() // 60), {WORKLOAD: need or Need(NEED, due=True)})
    _s3().put_object(Bucket=BUCKET, Key=NEEDS, Body=needs.encode())


class _WithS3(Session):
    def client(self, service: str, **options: Any) -> Any:
        return _s3() if service == "s3" else super().client(service, **options)


@cache
def _s3() -> Any:
    """moto's S3 refuses what bears no signature."""
    return _AWS(region_name=REGION).client("s3", config=AWS)

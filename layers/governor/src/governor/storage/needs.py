"""Reads the meter's word on what allowances need, which lies beside its reading."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from governor.keys.allowance import Needs
from governor.storage.s3_readings import NEEDS, S3ReadingStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def needs_in(client: "S3Client", bucket: str) -> Callable[[], Needs | None]:
    """Asks the bucket each time; None while the meter has said nothing. The callable raises `BadNeeds`."""
    store = S3ReadingStore(client, bucket, NEEDS)

    def needs() -> Needs | None:
        stored = store.get()
        return Needs.decode(stored.content or b"") if stored else None

    return needs

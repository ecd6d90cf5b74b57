"""The meter's reading in one S3 object, by S3's conditional reads and writes; some small ones lie beside it."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from governor.storage.readings import ReadingConflict, Stored, aside_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


READING = "readings/state.bin"
WOKEN = "readings/woken.json"
"""What readings between two minutes have found (`spend_meter.woken`)."""
WATCH = "watch/lines.json"
"""What keys may spend until such a reading is worth while (`governor.broadcast.messages.Watch`)."""

CHECKED = "readings/broadcast.json"
"""What the check of Broadcast remembers (`spend_meter.broadcast_rules.Memory`)."""
PUSHED = "pushed/workspaces.json"
"""Which workspaces pushed last, and when (`governor.broadcast.messages.LastPushed`); the tally's."""
NEEDS = "allowances/needs.json"
"""What workloads with an allowance may need (`governor.keys.allowance.Needs`)."""


class S3ReadingStore:
    """`ReadingStore` over a boto3 S3 client, by S3's conditional reads and writes. `key`: the object's."""

    def __init__(self, client: "S3Client", bucket: str, key: str = READING) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key

    def get(self, known: str | None = None) -> Stored | None:
        condition: Any = {"IfNoneMatch": known} if known else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key, **condition)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if known and status == 304:
                return Stored(None, known)
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return Stored(answer["Body"].read(), answer["ETag"])

    def put(self, content: bytes, replaces: str | None) -> str:
        condition: Any = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            answer = self._client.put_object(Bucket=self._bucket, Key=self._key, Body=content, **condition)
        except ClientError as error:
            # 412: the tag differs. 409: two conditional writes met in flight. 404: the object replaced is gone.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 409, 412) and _about_the_object(error):
                raise ReadingConflict(f"s3://{self._bucket}/{self._key} is no longer {replaces}") from error
            raise
        return answer["ETag"]

    def set_aside(self, content: bytes, etag: str) -> str:
        key = f"readings/{aside_name(etag)}"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        return f"s3://{self._bucket}/{key}"


def _about_the_object(error: ClientError) -> bool:
    return error.response["Error"]["Code"] != "NoSuchBucket"

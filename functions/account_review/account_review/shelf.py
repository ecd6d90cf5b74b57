"""The review's objects in S3, under `reviews/`, the only prefix that its role may write."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "reviews/"
MEMORY = f"{PREFIX}memory.json"
LATEST = "latest.json"
LINK_SECONDS = 6 * 3600
"""A link signed by a function's role ends with the role's session, within some hours, whatever is asked for."""


class S3Shelf:
    """`Shelf` over a boto3 S3 client. An AWS error passes through."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, name: str, content: str, kind: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=PREFIX + name, Body=content.encode(), ContentType=kind)

    def link(self, name: str) -> str:
        asked = {"Bucket": self._bucket, "Key": PREFIX + name}
        return self._client.generate_presigned_url("get_object", Params=asked, ExpiresIn=LINK_SECONDS)

"""Pages for people, in S3 beside the reading: Markdown, one object each, under `pages/`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Pages:
    """Puts pages into a bucket. An AWS error passes through."""

    PREFIX = "pages/"

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, name: str, text: str) -> None:
        """The page as it is from now on. Idempotent."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=self.PREFIX + name,
            Body=text.encode(),
            ContentType="text/markdown; charset=utf-8",
        )


class MemoryPages:
    """Pages in memory, for tests."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    def put(self, name: str, text: str) -> None:
        self.pages[name] = text

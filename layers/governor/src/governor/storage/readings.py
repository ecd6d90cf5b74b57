"""Where the meter's last reading is kept: one object, replaced only by whoever read what it replaces.

Two sweeps at once: the second to write gets `ReadingConflict` and throws its work away; the first one's reading stands.
One S3 object: 10,000 keys a minute in DynamoDB would cost hundreds of dollars a month; a PUT a minute costs $0.22.
"""

from dataclasses import dataclass, field
from typing import Protocol


class ReadingConflict(Exception):
    """The object is not what the write expected: another sweep was first. Its reading stands; discard this one."""


@dataclass(frozen=True)
class Stored:
    """The object's bytes, and the tag that names exactly this version of it. `content` is None when it is as known."""

    content: bytes | None = field(repr=False)
    etag: str


class ReadingStore(Protocol):
    """One object, read whole and replaced whole. Reads see the latest write."""

    def get(self, known: str | None = None) -> Stored | None:
        """The object; without its content if it still has the tag `known`. None when there is none yet."""

    def put(self, content: bytes, replaces: str | None) -> str:
        """Replace the version tagged `replaces` (None: there must be none) and return the new tag.

        Raises `ReadingConflict`; also when a lost answer was repeated by the SDK and met its own first write, so the
        one who gets it must take the stored object for the truth, not assume that its own content is not there.
        """

    def set_aside(self, content: bytes, etag: str) -> str:
        """Keep bytes that no version can read beside the reading, and return where they are; twice: the same place."""


class MemoryReadingStore:
    """A reading store in memory, for tests; proven equal to `S3ReadingStore` by one suite run over both."""

    def __init__(self) -> None:
        self.stored: Stored | None = None
        self.aside: dict[str, bytes] = {}
        self._written = 0

    def get(self, known: str | None = None) -> Stored | None:
        if self.stored and self.stored.etag == known:
            return Stored(None, known)
        return self.stored

    def put(self, content: bytes, replaces: str | None) -> str:
        if (self.stored.etag if self.stored else None) != replaces:
            raise ReadingConflict(f"the reading is no longer {replaces}")
        self._written += 1
        self.stored = Stored(content, f'"{self._written}"')
        return self.stored.etag

    def set_aside(self, content: bytes, etag: str) -> str:
        place = f"memory/{aside_name(etag)}"
        self.aside[place] = content
        return place


def aside_name(etag: str) -> str:
    """The name under which the version tagged `etag` is set aside."""
    return "unreadable-" + "".join(letter for letter in etag if letter.isalnum()) + ".bin"

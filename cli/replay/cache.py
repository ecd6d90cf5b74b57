"""Days of history on disk, so that a day that is over is asked for once.

One file a day and kind, `<folder>/<account>/<kind>-<YYYY-MM-DD>.json`: the digest of the rest, a line break, the rest.
A file is written whole or not at all; one that does not match its digest counts as absent, and is asked for again. It
holds hashes of keys and amounts, no name of a key that the account still has, and no credential.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from cli.output import write_atomically
from spend_meter.periods import moment_of

VERSION = 1
type Kind = Literal["hours", "minutes"]


class Cache:
    """`account`: what tells one account from another, see `account_of`. `broken`: files that were unusable."""

    def __init__(self, folder: Path, account: str) -> None:
        self._folder = folder / account
        self.broken: list[str] = []

    def get(self, kind: Kind, day: int) -> Any:
        """The day's rows; None where there are none, or none that can be trusted. `day`: days since 1970."""
        path = self._path(kind, day)
        try:
            digest, _, text = path.read_text("utf-8").partition("\n")
            if digest != _digest(text):
                raise ValueError("its content is not what was written")
            document = json.loads(text)
            if document["version"] != VERSION:
                return None
            return document["rows"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            self.broken.append(path.name)
            return None

    def put(self, kind: Kind, day: int, rows: Any) -> None:
        """Keeps the day. Raises `cli.output.Failure` where the folder cannot be written."""
        with suppress(FileExistsError):
            self._folder.mkdir(parents=True)
        text = json.dumps({"version": VERSION, "rows": rows}, separators=(",", ":"))
        write_atomically(self._path(kind, day), f"{_digest(text)}\n{text}")

    def _path(self, kind: Kind, day: int) -> Path:
        return self._folder / f"{kind}-{moment_of(day * 1440):%Y-%m-%d}.json"


def account_of(base_url: str, workspace_ids: Sequence[str]) -> str:
    """A name for the folder of this account's days: the same host and the same workspaces.

    A key that sees another set of workspaces sees other rows, so its days are kept apart.
    """
    return hashlib.sha256("\n".join([base_url, *sorted(workspace_ids)]).encode()).hexdigest()[:16]


def default_folder() -> Path:
    """Where caches belong (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "governor"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

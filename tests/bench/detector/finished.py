"""The keys whose sixty days are replayed already, in a file: a run of hours that was interrupted goes on.

The file is of one state of the code. What another state finished says nothing of this one, and is left out.
"""

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import governor.policy
import sandbox.traffic
import spend_meter
import tests.bench.detector
from tests.bench.detector.replay import Key, Outcome, Reading

type Job = tuple[Key, Reading]
_JUDGED_BY = (governor.policy, sandbox.traffic, spend_meter, tests.bench.detector)


def code() -> str:
    """The digest of all source that decides an outcome."""
    digest = hashlib.sha256()
    for package in _JUDGED_BY:
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Finished:
    """What is done, by key and reading. One pickle after the other; a last one that is cut off is dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(f".{code()[:12]}.pickle")
        self.outcomes: dict[Job, list[Outcome]] = {}
        whole = 0
        if self._path.exists():
            with self._path.open("rb") as stream:
                for job, outcomes in _pickles(stream):
                    self.outcomes[job] = outcomes
                    whole = stream.tell()
            with self._path.open("rb+") as stream:
                stream.truncate(whole)

    def add(self, job: Job, outcomes: list[Outcome]) -> None:
        self.outcomes[job] = outcomes
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("ab") as stream:
            pickle.dump((job, outcomes), stream)


def _pickles(stream: BinaryIO) -> Iterator[tuple[Job, list[Outcome]]]:
    while True:
        try:
            yield pickle.load(stream)  # our own file, under build/
        except (EOFError, pickle.UnpicklingError):
            return

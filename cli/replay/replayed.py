"""The past as it would have been under one policy."""

from dataclasses import dataclass

from cli.replay.outcome import Outcome
from cli.replay.play import Played
from cli.replay.source import Fetched


@dataclass(frozen=True)
class Replayed:
    """`fetched`: what it was made of."""

    fetched: Fetched
    played: Played
    outcome: Outcome

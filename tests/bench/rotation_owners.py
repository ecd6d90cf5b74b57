"""Whose code the product's processor time goes to: a profile, grouped by the files that functions stand in.

A builtin has no file; its time is that of whoever called it. A profiler slows calls down and loops not, so what it says
is taken for shares of a time that was measured without it.
"""

import cProfile
import pstats
import time
from collections import Counter
from typing import Any

OWNERS = (
    ("/functions/", "functions"),
    ("/layers/", "layers"),
    ("/botocore/", "boto3 and its HTTP"),
    ("/boto3/", "boto3 and its HTTP"),
    ("/urllib3/", "boto3 and its HTTP"),
    ("/s3transfer/", "boto3 and its HTTP"),
    ("/moto/", "the stand-in's edges"),
    ("/responses/", "the stand-in's edges"),
    ("/tests/", "the stand-in's edges"),
    ("/sandbox/", "the stand-in's edges"),
    ("/httpx/", "httpx and its HTTP"),
    ("/httpcore/", "httpx and its HTTP"),
    ("/h11/", "httpx and its HTTP"),
    ("/anyio/", "httpx and its HTTP"),
    ("/pydantic", "pydantic"),
    ("/aws_lambda_powertools/", "Powertools"),
)
"""The first that a path holds."""
REST = "Python's own library"


def owner(path: str) -> str:
    return next((whose for part, whose in OWNERS if part in path), REST)


class Owners:
    """A profile of one thread, by its own processor time."""

    def __init__(self) -> None:
        self.profile = cProfile.Profile(time.thread_time)

    def taken(self) -> dict[str, float]:
        """Seconds by owner since the last time."""
        taken: Counter[str] = Counter()
        raw: Any = pstats.Stats(self.profile).stats  # type: ignore[attr-defined]
        for (path, _, _), (_, _, own, _, callers) in raw.items():
            if path != "~":
                taken[owner(path)] += own
                continue
            for (caller, _, _), (_, _, its, _) in callers.items():
                taken[owner(caller)] += its
        self.profile = cProfile.Profile(time.thread_time)
        return dict(taken)

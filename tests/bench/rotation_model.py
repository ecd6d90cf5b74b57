"""What a rotation would take in Lambda, from what one was measured to need: requests, calls, processor time. Pure.

The steps run in containers of their own, one rotation at a time in each. The runs that retire old keys run in one
container, whatever their number. Each container has its own share of a processor, which a bench on one machine, where
all share two, cannot show.
"""

import math
from dataclasses import dataclass

MEMORY_MB, MEMORY_OF_A_PROCESSOR_MB = 1024, 1769
"""Of `KeyRotationFunction` and `KeyRetirementFunction`; AWS gives a whole virtual processor from 1,769 MB on."""
SHARE = MEMORY_MB / MEMORY_OF_A_PROCESSOR_MB
BEAT_SECONDS, BEAT_EVERY_MINUTES = 116.0, 10
"""What a run has of its 120 seconds before it puts off the rest, and how often one begins."""
SCRIPT_REQUESTS = 2


@dataclass(frozen=True)
class Need:
    """Of one rotation or one old key: requests of OpenRouter, calls of AWS, the product's processor seconds."""

    requests: float
    calls: float
    processor: float

    def seconds(self, latency: float, aws: float) -> float:
        """One after another in one container, where AWS takes `aws` seconds for a call."""
        return self.requests * latency + self.calls * aws + self.processor / SHARE

    def __add__(self, other: "Need") -> "Need":
        return Need(self.requests + other.requests, self.calls + other.calls, self.processor + other.processor)


def steps(need: Need, count: int, at_once: int, latency: float, aws: float) -> float:
    """Seconds until `count` workloads have their new key, with `at_once` containers."""
    return math.ceil(count / at_once) * need.seconds(latency, aws)


def ticks(need: Need, count: int, at_once: int, latency: float, aws: float) -> float:
    """Seconds that the runs work until `count` old keys are gone: `at_once` threads of one container, whose processor
    they share. The hours and days that a key waits between them are its overlap and quarantine, and not counted."""
    return count * max(need.seconds(latency, aws) / at_once, need.processor / SHARE)


def ticks_needed(seconds: float) -> int:
    """A run that has no time left puts off the rest to the next, ten minutes later."""
    return math.ceil(seconds / BEAT_SECONDS)


def script(count: int, latency: float, processor: float) -> float:
    """Seconds of the script: create and delete, one after another. `processor`: its own seconds for one key, on a
    whole processor."""
    return count * (SCRIPT_REQUESTS * latency + processor)


def least_at_once(need: Need, most: float, latency: float, aws: float) -> int:
    """How many containers bring a rotation, on the average, to `most` seconds."""
    return math.ceil(need.seconds(latency, aws) / most)

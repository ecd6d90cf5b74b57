"""The organization that a review is tried on: a clean one with ten weeks of traffic, and a twin with faults."""

from sandbox.reviewed.clean import NOW, found, policy
from sandbox.reviewed.faults import PLANTED, plant

__all__ = ["NOW", "PLANTED", "found", "plant", "policy"]

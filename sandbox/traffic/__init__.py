"""What keys spend, minute by minute: eight habits of real workloads, and the runaway that may befall any of them."""

from sandbox.traffic.loop import Loop, loop
from sandbox.traffic.profile import PROFILES, Profile

__all__ = ["PROFILES", "Loop", "Profile", "loop"]

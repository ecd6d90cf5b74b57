"""What keys spend, minute by minute: habits of real workloads, and the runaway that may befall any of them."""

from sandbox.traffic.loop import COURSES, Loop, loop
from sandbox.traffic.profile import ORIGIN, PROFILES, RARE_PROFILES, Profile

__all__ = ["COURSES", "ORIGIN", "PROFILES", "RARE_PROFILES", "Loop", "Profile", "loop"]

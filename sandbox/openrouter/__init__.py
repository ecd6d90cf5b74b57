"""OpenRouter on one machine: the management API and inference, with the traps its documents list.

State is in memory, the clock can be set, and everything derives from a seed. Shapes follow the vendor's Python SDK.
"""

from sandbox.openrouter.faults import Fault
from sandbox.openrouter.simulator import Simulator

__all__ = ["Fault", "Simulator"]

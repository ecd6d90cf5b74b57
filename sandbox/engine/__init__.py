"""The built stack on one machine: functions under AWS's own runtime client, the rest kept by moto, time virtual.

with Engine.deploy(Path(".aws-sam/build"), parameters={...}, secrets={...}) as engine:
    engine.put_event("Key Exposed", {...}, source="scanner")
    engine.run_until(timedelta(minutes=5))
    engine.invocations, engine.dead_letters(), engine.logs("KillSwitchFunction")
"""

from sandbox.engine.delivery import Lost
from sandbox.engine.deployed import Deployed, QueuedMessage
from sandbox.engine.engine import Engine
from sandbox.engine.errors import DeploymentFailed, EngineError, UnsupportedTemplate
from sandbox.engine.pool import Invocation

__all__ = [
    "Deployed",
    "DeploymentFailed",
    "Engine",
    "EngineError",
    "Invocation",
    "Lost",
    "QueuedMessage",
    "UnsupportedTemplate",
]

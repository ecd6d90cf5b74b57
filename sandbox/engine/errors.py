"""The engine's error tree, split by what the reader does about it.

EngineError
+- UnsupportedTemplate   the engine does not honour what the template says: teach it, or change the template
+- DeploymentFailed      the template is understood and AWS would refuse it: change the template
+- Refused               a delivery was not permitted, or nobody is there; carries what AWS tells with a dead letter
+- Unreachable           an HTTP endpoint may take the delivery later: EventBridge tries again
"""


class EngineError(Exception):
    """Every error that the engine raises on purpose."""


class UnsupportedTemplate(EngineError):
    """The template uses something the engine does not honour. Names the logical id, the type and what it is."""

    def __init__(self, logical_id: str, kind: str, what: str) -> None:
        super().__init__(f"{logical_id} ({kind}): {what}")
        self.logical_id, self.kind, self.what = logical_id, kind, what


class DeploymentFailed(EngineError):
    """The template is understood, and AWS would refuse to deploy it."""

    def __init__(self, logical_id: str, why: str) -> None:
        super().__init__(f"{logical_id}: {why}")
        self.logical_id, self.why = logical_id, why


class Refused(EngineError):
    """A target did not take a delivery, for good. `code` and `message` are what EventBridge puts on a dead letter."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Unreachable(EngineError):
    """An HTTP endpoint did not take a delivery, and EventBridge tries again. `code` and `message` as of `Refused`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message

"""Tips to the spend meter: asynchronous invocations of its function."""

import json
from typing import TYPE_CHECKING

from governor.broadcast.messages import Tip

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class MeterTips:
    """Sends tips to one function."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client, self._function = client, function

    def tip(self, tip: Tip) -> None:
        """Returns once Lambda has taken it, which may be twice: a tip is a reading, and one more does no harm."""
        self._client.invoke(
            FunctionName=self._function, InvocationType="Event", Payload=json.dumps(tip.event()).encode()
        )

"""The pace of the whole account, kept in one row of the ledger's table: pk `pace`, sk `openrouter`.

OpenRouter limits an account, and a thousand rotations run in many containers. Each request takes a turn by one
conditional update of `next_turn`, the instant (epoch milliseconds) at which the next turn is free: the generic cell
rate algorithm, which spaces requests evenly whoever makes them. A 429 moves that instant for everybody (decision 49).

Clocks of containers differ by milliseconds, which spaces two requests a little wrongly and loses none.
"""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from governor.account.backlog import PK, SK
from governor.ports import Log
from management_api import Pacing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

PAUSE_SECONDS, MOST_SECONDS = 2.0, 300.0
"""How long everybody waits after a 429: as OpenRouter says, this where it does not say, and never longer than that at
once: after five minutes one request asks how things stand."""
DAY_SECONDS = 86_400.0


class AccountPace:
    """At most `requests_per_second` for everything that takes its turns from one row. Shared by threads.

    While the row cannot be written the process keeps the pace by itself: too fast together is mended by a 429, and to
    stand still would leave a leaked key alive.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        requests_per_second: float,
        log: Log,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._table, self._log = client, table, log
        self._gap = 1.0 / requests_per_second
        self._now, self._sleep = now, sleep
        self._alone = Pacing(requests_per_second, sleep=sleep)

    def wait(self, seconds_left: float) -> bool:
        """Sleeps until this caller's turn. False, at once and without a turn, when that is beyond `seconds_left`."""
        try:
            turn = self._turn(seconds_left)
        except (ClientError, BotoCoreError) as error:
            self._log.warning("the account's pace is kept by this process alone", extra={"error": type(error).__name__})
            return self._alone.wait(seconds_left)
        if turn is None:
            return False
        if turn > (now := self._now()):
            self._sleep(turn - now)
        return True

    def slow(self, retry_after: float | None) -> None:
        """OpenRouter answered 429: nobody has a turn before the time that it named, in seconds from now."""
        pause = min(MOST_SECONDS, PAUSE_SECONDS if retry_after is None else max(retry_after, self._gap))
        self._alone.slow(pause)
        try:
            self._update(self._now() + pause, "attribute_not_exists(next_turn) OR next_turn < :next")
        except self._client.exceptions.ConditionalCheckFailedException:
            pass  # somebody has moved it further already
        except (ClientError, BotoCoreError) as error:
            self._log.warning("a 429 was not told to the others", extra={"error": type(error).__name__})

    def _turn(self, seconds_left: float) -> float | None:
        """The instant of a turn that is now this caller's; None where the next is too late."""
        while True:
            now = self._now()
            latest = now + min(seconds_left, DAY_SECONDS)
            try:
                return self._advance(now, latest)
            except self._client.exceptions.ConditionalCheckFailedException as error:
                held = _held(error)
            if held is not None and held >= latest:
                return None
            try:
                # Nobody has asked lately: the row's turn lies in the past, or there is no row yet.
                self._update(now + self._gap, "attribute_not_exists(next_turn) OR next_turn < :now", now)
                return now
            except self._client.exceptions.ConditionalCheckFailedException:
                continue  # somebody else was first; theirs is the turn to follow

    def _advance(self, now: float, latest: float) -> float:
        answer = self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": PK}, "sk": {"S": SK}},
            UpdateExpression="SET next_turn = next_turn + :gap",
            ConditionExpression="next_turn >= :now AND next_turn < :latest",
            ExpressionAttributeValues={":gap": _ms(self._gap), ":now": _ms(now), ":latest": _ms(latest)},
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return int(answer["Attributes"]["next_turn"]["N"]) / 1000 - self._gap

    def _update(self, next_turn: float, condition: str, now: float | None = None) -> None:
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": PK}, "sk": {"S": SK}},
            UpdateExpression="SET next_turn = :next",
            ConditionExpression=condition,
            ExpressionAttributeValues={":next": _ms(next_turn), **({} if now is None else {":now": _ms(now)})},
        )


def _ms(seconds: float) -> "AttributeValueTypeDef":
    return {"N": str(math.ceil(seconds * 1000))}


def _held(error: ClientError) -> float | None:
    """The row's `next_turn` in epoch seconds, as a refused condition shows it."""
    item: Any = error.response.get("Item", {})
    text = item.get("next_turn", {}).get("N")
    return None if text is None else int(text) / 1000

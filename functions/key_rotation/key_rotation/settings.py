"""What key rotation is told by its environment, and what Secrets Manager asks of it."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from governor.environment import Settings
from governor.events import BadEvent

StepName = Literal["createSecret", "setSecret", "testSecret", "finishSecret"]


class RotationSettings(Settings):
    """Names of the secret with the management key, the ledger's table, and the bus. `requests_per_second`: the pace."""

    management_key_secret: str
    table_name: str
    event_bus_name: str
    requests_per_second: float | None = None


@dataclass(frozen=True)
class Step:
    """One step of a rotation. `secret`: its ARN; `token`: the id of the version that is to become current."""

    name: StepName
    secret: str
    token: str


def received(event: Any) -> Step:
    """What Secrets Manager asks for. Raises `BadEvent` naming the field."""
    if not isinstance(event, dict):
        raise BadEvent("not an event of Secrets Manager's rotation: expected an object")
    for field in ("Step", "SecretId", "ClientRequestToken"):
        if not isinstance(event.get(field), str) or not event[field]:
            raise BadEvent(f"{field}: missing from the event; only Secrets Manager's rotation calls this function")
    known: tuple[StepName, ...] = get_args(StepName)
    name = next((one for one in known if one == event["Step"]), None)
    if name is None:
        raise BadEvent(f"Step: {event['Step']!r} is not one of {', '.join(known)}")
    return Step(name, event["SecretId"], event["ClientRequestToken"])

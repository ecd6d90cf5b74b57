"""What the destination must be through which OpenRouter's Broadcast reaches Governor, and how one differs. Pure.

`governor broadcast setup` makes it so; the spend meter compares it every ten minutes and tells what differs. Both go by
`differences`, so what is told is what the command mends.

The header's value is not compared: OpenRouter's document says of a destination's config that masked values are ignored
in a change, so what is read back need not be what was stored. A wrong token shows as refused deliveries and as silence.

Source: OpenRouter's OpenAPI document (`/observability/destinations`, `is_observability_broadcast_enabled` of a
workspace) and its guide to Broadcast's webhook.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from management_api import Destination

HEADER = "x-governor-broadcast"
"""The header that bears the token."""
NAME = "governor"
TYPE = "webhook"


@dataclass(frozen=True)
class Expected:
    """`url`: the gateway's. `sampling_rate`: the share of requests that Governor counts with."""

    url: str
    sampling_rate: float = 1.0


def ours(destinations: Sequence["Destination"], expected: Expected) -> list["Destination"]:
    """The webhooks that send to the gateway; where none does, those named `NAME`, which sent to a former one."""
    webhooks = [one for one in destinations if one.type == TYPE]
    here = [one for one in webhooks if _url(one) == expected.url.rstrip("/")]
    return here or [one for one in webhooks if one.name == NAME]


def others(destinations: Sequence["Destination"], expected: Expected) -> list["Destination"]:
    """Enabled destinations of somebody else, which Broadcast's switch would start as well."""
    own = {one.id for one in ours(destinations, expected)}
    return [one for one in destinations if one.enabled and one.id not in own]


def differences(is_on: bool, destinations: Sequence["Destination"], expected: Expected) -> dict[str, str]:
    """Field to what is wrong with it, in words; empty when all is as it must be.

    `is_on`: the workspace's switch for Broadcast. Of several destinations of ours the best counts: one that is as it
    must be delivers.
    """
    found: dict[str, str] = {} if is_on else {"switch": "Broadcast is switched off in the workspace"}
    own = ours(destinations, expected)
    if not own:
        return found | {"destination": "no destination sends to Governor"}
    return found | min((of_one(one, expected) for one in own), key=len)


def of_one(destination: "Destination", expected: Expected) -> dict[str, str]:
    """What is wrong with one destination, by field."""
    return {field: says for field, (is_wrong, says) in _RULES.items() if is_wrong(destination, expected)}


def _url(destination: "Destination") -> str:
    return str(destination.config.get("url", "")).rstrip("/")


def _headers(destination: "Destination") -> Mapping[str, Any]:
    headers = destination.config.get("headers")
    return {str(name).lower(): value for name, value in headers.items()} if isinstance(headers, Mapping) else {}


def _filters(destination: "Destination") -> bool:
    rules = destination.filter_rules or {}
    return bool(rules.get("groups")) and rules.get("enabled") is not False


_RULES: Mapping[str, tuple[Callable[["Destination", Expected], bool], str]] = {
    "url": (lambda one, want: _url(one) != want.url.rstrip("/"), "the destination sends to another address"),
    "enabled": (lambda one, _: not one.enabled, "the destination is disabled"),
    "privacy_mode": (
        lambda one, _: not one.privacy_mode,
        "privacy mode is off, so prompts are sent, and Governor drops what holds them",
    ),
    "header": (lambda one, _: not _headers(one).get(HEADER), f"the header {HEADER} is missing"),
    "sampling_rate": (
        lambda one, want: abs(one.sampling_rate - want.sampling_rate) > 1e-9,
        "the sampling rate is not BroadcastSamplingRate, so sums are wrong by as much",
    ),
    "api_key_hashes": (lambda one, _: one.api_key_hashes is not None, "only the requests of some keys are sent"),
    "filter_rules": (lambda one, _: _filters(one), "filter rules leave requests out"),
    "broadcast_generation_cost": (lambda one, _: not one.broadcast_generation_cost, "the category cost is off"),
    "broadcast_generation_identity": (
        lambda one, _: not one.broadcast_generation_identity,
        "the category identity is off, so requests may come without a key's name",
    ),
}
"""By field, in the order in which they are told."""

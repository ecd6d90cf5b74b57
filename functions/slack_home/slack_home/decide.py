"""The Home that a person sees: their own first, then all that holds, waits, is over or turns. Pure.

Slack takes 100 blocks and 250 KB. What does not fit is counted, and `/governor status` says it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from governor.slack.channel import button_element
from governor.slack.home_tab import MAX_BLOCKS
from slack_home.facts import Facts
from slack_home.items import Item, items

PARTS = ("Disabled", "Waiting for a decision", "Over budget", "In rotation")
_TAIL = 1
"""Blocks that are kept for what does not fit."""


def home(facts: Facts, user: str) -> dict[str, Any]:
    """The view, for `views.publish`."""
    found = items(facts, user)
    own = [one for one in found if one.own]
    rest = [one for one in found if not one.own]
    groups = [("Yours", own), *((part, [one for one in rest if one.part == part]) for part in PARTS)]
    blocks = [_header("Governor"), _text(_summary(facts, found, user))]
    left = 0
    for title, some in groups:
        left += _add(blocks, title, some)
    if left:
        blocks.append(_small(f"… and {left} more: `/governor status`, and the messages in the channel."))
    return {"type": "home", "callback_id": "governor.home", "blocks": blocks}


def refused(said: str) -> dict[str, Any]:
    """The view of somebody who may not use Governor: it says nothing of the organization."""
    return {"type": "home", "callback_id": "governor.home", "blocks": [_text(said)]}


def _add(blocks: list[dict[str, Any]], title: str, some: Sequence[Item]) -> int:
    """Adds a group as far as there is room; how many items were left out."""
    for number, item in enumerate(some):
        wanted = [*([_header(title)] if number == 0 else []), *_item(item, f"{len(blocks)}", title == "Yours")]
        if len(blocks) + len(wanted) > MAX_BLOCKS - _TAIL:
            return len(some) - number
        blocks += wanted
    return 0


def _item(item: Item, place: str, named: bool) -> Iterator[dict[str, Any]]:
    yield _text(f"_{item.part}_ · {item.text}" if named else item.text)
    if item.buttons:
        elements = [button_element(one).to_dict() for one in item.buttons]
        yield {"type": "actions", "block_id": f"actions-{place}", "elements": elements}


def _summary(facts: Facts, found: Sequence[Item], user: str) -> str:
    mine = sum(workload.owner.slack == user for workload in facts.policy.workloads)
    counted = ", ".join(f"{sum(one.part == part for one in found)} {part.lower()}" for part in PARTS)
    yours = f" You own {mine} of {len(facts.policy.workloads)} workloads." if mine else ""
    return f"{counted[0].upper()}{counted[1:]}.{yours} It changes by itself when something happens."


def _header(title: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}


def _text(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _small(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}

"""What the vendors take, as their documents say. Each check says what is wrong; nothing when all is well.

PagerDuty: "Events API v2: send an alert event" and "PD-CEF". Teams: "Create incoming webhooks with Workflows" and the
Adaptive Cards schema; a Teams message may have 28 KB.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
ROUTING_KEY = 32
DEDUP_KEY = 255
SUMMARY = 1024
"""PagerDuty cuts a longer summary; here it is an error, since what is cut off is not seen."""
ALERT_BYTES = 512 * 1024
CARD_BYTES = 28 * 1024
CARD = "application/vnd.microsoft.card.adaptive"


def pagerduty(body: Any) -> Iterator[str]:
    """What PagerDuty's Events API v2 would find wrong with an event."""
    if not isinstance(body, dict):
        yield "the event is not an object"
        return
    if len(_text(body, "routing_key")) != ROUTING_KEY:
        yield f"routing_key does not have {ROUTING_KEY} characters"
    action = body.get("event_action")
    if action not in ACTIONS:
        yield f"event_action is {action!r}"
    if not 0 < len(_text(body, "dedup_key")) <= DEDUP_KEY:
        yield f"dedup_key does not have 1 to {DEDUP_KEY} characters"
    if len(json.dumps(body)) > ALERT_BYTES:
        yield f"the event is larger than {ALERT_BYTES} bytes"
    if action == "trigger":
        yield from _payload(body.get("payload"))


def _payload(payload: Any) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "a trigger has no payload"
        return
    if not 0 < len(_text(payload, "summary")) <= SUMMARY:
        yield f"payload.summary does not have 1 to {SUMMARY} characters"
    if not _text(payload, "source"):
        yield "payload.source is missing"
    if payload.get("severity") not in SEVERITIES:
        yield f"payload.severity is {payload.get('severity')!r}"
    if "timestamp" in payload:
        try:
            datetime.fromisoformat(payload["timestamp"])
        except (TypeError, ValueError):
            yield f"payload.timestamp is {payload['timestamp']!r}"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "payload.custom_details is not an object"


def teams(body: Any) -> Iterator[str]:
    """What a Teams Workflows webhook would find wrong with a message."""
    if not isinstance(body, dict) or body.get("type") != "message":
        yield "the body is not a message"
        return
    attachments = body.get("attachments")
    if not isinstance(attachments, list) or len(attachments) != 1:
        yield "a message has one attachment"
        return
    if len(json.dumps(body)) > CARD_BYTES:
        yield f"the message is larger than {CARD_BYTES} bytes"
    if attachments[0].get("contentType") != CARD:
        yield f"contentType is {attachments[0].get('contentType')!r}"
    card = attachments[0].get("content", {})
    if (card.get("type"), card.get("version")) != ("AdaptiveCard", "1.4"):
        yield "the content is no Adaptive Card of a version that Teams shows"
    if not card.get("body"):
        yield "the card is empty"
    for element in card.get("body", []):
        yield from _element(element)
    for action in card.get("actions", []):
        if action.get("type") != "Action.OpenUrl" or not _text(action, "url").startswith("https://"):
            yield f"{action} is not a link"


def _element(element: dict[str, Any]) -> Iterator[str]:
    match element.get("type"):
        case "TextBlock":
            if not _text(element, "text"):
                yield "a TextBlock has no text"
        case "FactSet":
            for fact in element.get("facts", [{}]):
                if not _text(fact, "title") or not _text(fact, "value"):
                    yield f"{fact} is no fact"
        case other:
            yield f"a card has no element {other!r}"


def event(body: Any) -> Iterator[str]:
    """What a receiver of Governor's own events would find wrong with one."""
    for name in ("id", "detail-type", "source", "time", "detail"):
        if not isinstance(body, dict) or name not in body:
            yield f"{name} is missing"


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""

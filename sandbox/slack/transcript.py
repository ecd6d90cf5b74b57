"""A channel as plain text, as a person sees it: threads under their parents, edits applied, local times as UTC."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.slack.workspace import BOT_USER, Channel

_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def conversation(channel: Channel) -> list[dict[str, Any]]:
    """The channel's parents, oldest first, each with its `replies`."""
    parents = [m for m in channel.messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    return [{**parent, "replies": [m for m in channel.thread(parent["ts"]) if m is not parent]} for parent in parents]


def transcript(channel: Channel) -> str:
    """The whole channel, one block of lines per message."""
    lines: list[str] = []
    for parent in conversation(channel):
        lines += _message(parent, "")
        for reply in parent["replies"]:
            lines += _message(reply, "    ")
    return "\n".join(lines)


def plain(mrkdwn: str) -> str:
    """mrkdwn as a person reads it: references by their text, entities resolved, emphasis left as typed."""
    text = _REFERENCE.sub(_reference, mrkdwn)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _reference(match: re.Match[str]) -> str:
    target, text = match[1], match[2]
    if target.startswith(("@", "#")):
        return f"{target[0]}{text or target[1:]}"
    return text or target.lstrip("!")


def _message(message: Mapping[str, Any], indent: str) -> list[str]:
    moment = datetime.fromtimestamp(float(message["ts"]), UTC).strftime("%Y-%m-%d %H:%M:%S")
    author = "Governor" if message["user"] == BOT_USER else message["user"]
    marks = "".join(
        f" ({mark})"
        for mark, here in (
            ("edited", "edited" in message), ("also in the channel", message.get("subtype") == "thread_broadcast"),
        )
        if here
    )  # fmt: skip
    body = [*plain(message.get("text", "")).splitlines()]
    body += [f"| {line}" for text in _texts(message) for line in plain(text).splitlines()]
    body += [f"+ file {file['name']}" for file in message.get("files", [])]
    return [f"{indent}[{moment}Z] {author}{marks}", *(f"{indent}  {line}" for line in body)]


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Every text of the message's blocks, in the order in which Slack shows them."""
    blocks = list(message.get("blocks") or [])
    for attachment in message.get("attachments") or []:
        blocks += attachment.get("blocks") or [{"text": {"text": attachment.get("text", "")}}]
    for block in blocks:
        for part in (block.get("text"), *(block.get("fields") or []), *(block.get("elements") or [])):
            text = part.get("text") if isinstance(part, dict) else None
            if isinstance(text, dict):  # a button's label
                yield f"[{text['text']}]"
            elif text:
                yield text

"""A channel as plain text, as a person sees it: threads under their parents, edits applied, local times as UTC."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.slack.workspace import BOT_USER, Channel, Workspace

FILE_LINES = 40
_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def conversation(channel: Channel) -> list[dict[str, Any]]:
    """The channel's parents, oldest first, each with its `replies`."""
    parents = [m for m in channel.messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    return [{**parent, "replies": [m for m in channel.thread(parent["ts"]) if m is not parent]} for parent in parents]


def transcript(channel: Channel, workspace: Workspace) -> str:
    """The whole channel, one block of lines per message, files as they read; and what only one person saw."""
    parts: list[tuple[float, list[str]]] = []
    for parent in conversation(channel):
        lines = _message(parent, "", workspace)
        for reply in parent["replies"]:
            lines += _message(reply, "    ", workspace)
        parts.append((float(parent["ts"]), lines))
    for said in workspace.ephemeral:
        if said["channel"] == channel.id:
            shown = _message({"user": BOT_USER, **said, "only": said["user"]}, "", workspace)
            parts.append((float(said["ts"]), shown))
    return "\n".join(line for _, lines in sorted(parts, key=lambda part: part[0]) for line in lines)


def plain(mrkdwn: str) -> str:
    """mrkdwn as a person reads it: references by their text, entities resolved, emphasis left as typed."""
    text = _REFERENCE.sub(_reference, mrkdwn)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _reference(match: re.Match[str]) -> str:
    target, text = match[1], match[2]
    if target.startswith(("@", "#")):
        return f"{target[0]}{text or target[1:]}"
    return text or target.lstrip("!")


def _message(message: Mapping[str, Any], indent: str, workspace: Workspace) -> list[str]:
    moment = datetime.fromtimestamp(float(message["ts"]), UTC).strftime("%Y-%m-%d %H:%M:%S")
    author = "Governor" if message["user"] == BOT_USER or "only" in message else message["user"]
    marks = "".join(
        f" ({mark})"
        for mark, here in (
            ("edited", "edited" in message), (f"only {message.get('only')} sees this", "only" in message),
            ("also in the channel", message.get("subtype") == "thread_broadcast"),
        )
        if here
    )  # fmt: skip
    body = [*plain(message.get("text", "")).splitlines()]
    body += [f"| {line}" for text in _texts(message) for line in plain(text).splitlines()]
    for file in message.get("files", []):
        body += [f"+ file {file['name']}", *_file(workspace.files[file["id"]]["content"])]
    return [f"{indent}[{moment}Z] {author}{marks}", *(f"{indent}  {line}" for line in body)]


def _file(content: bytes) -> list[str]:
    """What a person sees of a text file before they open it."""
    lines = content.decode(errors="replace").splitlines()
    more = [f"  : … {len(lines) - FILE_LINES} more lines"] if len(lines) > FILE_LINES else []
    return [*(f"  : {line}" for line in lines[:FILE_LINES]), *more]


def texts_of(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every text of the blocks, buttons in brackets."""
    return [plain(text) for text in _texts({"blocks": blocks})]


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Every text of the message's blocks, in the order in which Slack shows them."""
    blocks = list(message.get("blocks") or [])
    for attachment in message.get("attachments") or []:
        blocks += attachment.get("blocks") or [{"text": {"text": attachment.get("text", "")}}]
    for block in blocks:
        if block.get("type") == "image":
            yield f"[picture: {block.get('title', {}).get('text', '')}] {block.get('alt_text', '')}"
        for part in (block.get("text"), *(block.get("fields") or []), *(block.get("elements") or [])):
            text = part.get("text") if isinstance(part, dict) else None
            if isinstance(text, dict):  # a button's label
                yield f"[{text['text']}]"
            elif text:
                yield text

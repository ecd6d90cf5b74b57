"""Slack for the page: what the simulator received, bounded, and nothing that Slack does not show."""

import struct
from collections.abc import Mapping
from typing import Any

from sandbox.play.organization import PEOPLE
from sandbox.scenario.world import CHANNEL, World
from sandbox.slack.workspace import BOT_USER

THREADS, REPLIES, WHISPERS = 40, 30, 60
"""The newest of each that are shown."""
FILE_CHARACTERS = 4_000
_SHOWN = ("ts", "text", "attachments", "edited", "subtype")
_PNG = b"\x89PNG\r\n\x1a\n"
_KINDS = {_PNG: "image/png", b"\xff\xd8\xff": "image/jpeg"}


def view(world: World) -> dict[str, Any]:
    """Threads oldest first; `only`: what one person sees in the channel, `direct`: and in the app's own conversation
    with them; `modals`: open before whom; `mails`: of the alert topic."""
    workspace = world.slack.workspace
    threads = world.slack.messages(CHANNEL)
    whispers = workspace.ephemeral[-WHISPERS:]
    return {
        "older": max(0, len(threads) - THREADS),
        "threads": [_thread(one, workspace.files) for one in threads[-THREADS:]],
        "only": [_whisper(one) for one in whispers if not _is_direct(one)],
        "direct": [_whisper(one) for one in whispers if _is_direct(one)],
        "modals": {one["user"]: _modal(one) for one in workspace.views if one["open"]},
        "mails": [
            {"subject": subject or "", "text": text[:FILE_CHARACTERS]}
            for subject, text in world.engine.published("AlertTopic")[-20:]
        ],
        "people": [{"id": one.id, "name": one.name, "role": one.role} for one in PEOPLE],
    }


def homes(world: World) -> dict[str, list[dict[str, Any]]]:
    """The blocks of the app's Home by user, of those for whom the app has published one."""
    published = world.slack.workspace.homes
    return {one.id: published[one.id]["blocks"] for one in PEOPLE if one.id in published}


def close_modals(world: World, user: str) -> None:
    """The person closes what is open before them; Slack tells nobody."""
    for one in world.slack.workspace.views:
        if one["user"] == user:
            one["open"] = False


def file(world: World, id: str) -> tuple[bytes, str] | None:
    """A file's content, and its type: an image where its first bytes say so, else text."""
    content: bytes | None = (world.slack.workspace.files.get(id) or {}).get("content")
    return None if content is None else (content, _image_kind(content) or "text/plain; charset=utf-8")


def _image_kind(content: bytes) -> str | None:
    return next((kind for head, kind in _KINDS.items() if content.startswith(head)), None)


def _thread(parent: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    replies = parent["replies"]
    return {
        **_message(parent, files),
        "hidden": max(0, len(replies) - REPLIES),
        "replies": [_message(one, files) for one in replies[-REPLIES:]],
    }


def _is_direct(whisper: Mapping[str, Any]) -> bool:
    return str(whisper["channel"]).startswith("D")


def _whisper(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"ts": one["ts"], "user": one["user"], "text": one["text"], "blocks": one.get("blocks")}


def _message(message: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: message[name] for name in _SHOWN if message.get(name)}
    if message["user"] != BOT_USER:
        shown["user"] = message["user"]
    if message.get("blocks"):
        shown["blocks"] = [_block(one, files) for one in message["blocks"]]
    if message.get("files"):
        shown["files"] = [_file(files[one["id"]]) for one in message["files"]]
    return shown


def _block(block: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    """An image block with the size of its picture, so that the page keeps room for it before it is there."""
    named = (block.get("slack_file") or {}).get("id") if block.get("type") == "image" else None
    content = (files.get(named) or {}).get("content") if named else None
    return {**block, **(_size(content) if content else {})}


def _size(content: bytes) -> dict[str, int]:
    """Width and height in pixels, as a PNG's first chunk has them (https://www.w3.org/TR/png-3/#11IHDR)."""
    if not content.startswith(_PNG) or len(content) < 24:
        return {}
    width, height = struct.unpack(">II", content[16:24])
    return {"width": width, "height": height}


def _file(one: Mapping[str, Any]) -> dict[str, Any]:
    content: bytes = one["content"] or b""
    is_image = _image_kind(content) is not None
    text = "" if is_image else content.decode(errors="replace")[:FILE_CHARACTERS]
    shown = {"id": one["id"], "name": one["name"], "title": one["title"], "image": is_image, "text": text}
    return {**shown, "alt": one["alt_txt"], **_size(content)}


def _modal(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("id", "title", "submit", "close", "blocks") if name in one}

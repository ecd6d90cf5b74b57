"""The Slack channel for the page: what the simulator received, bounded, and nothing that Slack does not show."""

from collections.abc import Mapping
from typing import Any

from sandbox.play.organization import PEOPLE
from sandbox.scenario.world import CHANNEL, World
from sandbox.slack.workspace import BOT_USER

THREADS, REPLIES, WHISPERS = 40, 30, 60
"""The newest of each that are shown."""
FILE_CHARACTERS = 4_000
_SHOWN = ("ts", "text", "blocks", "attachments", "edited", "subtype")


def view(world: World) -> dict[str, Any]:
    """Threads oldest first; `only`: what one person sees; `modals`: open before whom; `mails`: of the alert topic."""
    workspace = world.slack.workspace
    threads = world.slack.messages(CHANNEL)
    return {
        "older": max(0, len(threads) - THREADS),
        "threads": [_thread(one, workspace.files) for one in threads[-THREADS:]],
        "only": [
            {"ts": one["ts"], "user": one["user"], "text": one["text"], "blocks": one.get("blocks")}
            for one in workspace.ephemeral[-WHISPERS:]
        ],
        "modals": {one["user"]: _modal(one) for one in workspace.views if one["open"]},
        "mails": [
            {"subject": subject or "", "text": text[:FILE_CHARACTERS]}
            for subject, text in world.engine.published("AlertTopic")[-20:]
        ],
        "people": [{"id": one.id, "name": one.name, "role": one.role} for one in PEOPLE],
    }


def close_modals(world: World, user: str) -> None:
    """The person closes what is open before them; Slack tells nobody."""
    for one in world.slack.workspace.views:
        if one["user"] == user:
            one["open"] = False


def file(world: World, id: str) -> tuple[bytes, str] | None:
    """A file's content, and its type: an image where its first bytes say so, else text."""
    content: bytes | None = (world.slack.workspace.files.get(id) or {}).get("content")
    if content is None:
        return None
    kinds = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
    found = next((kind for head, kind in kinds.items() if content.startswith(head)), None)
    return content, found or "text/plain; charset=utf-8"


def _thread(parent: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    replies = parent["replies"]
    return {
        **_message(parent, files),
        "hidden": max(0, len(replies) - REPLIES),
        "replies": [_message(one, files) for one in replies[-REPLIES:]],
    }


def _message(message: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: message[name] for name in _SHOWN if message.get(name)}
    if message["user"] != BOT_USER:
        shown["user"] = message["user"]
    if message.get("files"):
        shown["files"] = [_file(files[one["id"]]) for one in message["files"]]
    return shown


def _file(one: Mapping[str, Any]) -> dict[str, Any]:
    content: bytes = one["content"] or b""
    is_image = content[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
    text = "" if is_image else content.decode(errors="replace")[:FILE_CHARACTERS]
    return {"id": one["id"], "name": one["name"], "title": one["title"], "image": is_image, "text": text}


def _modal(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("id", "title", "submit", "close", "blocks") if name in one}

"""Slack's limits on messages and views, refused with Slack's own error codes.

Source: https://docs.slack.dev/reference/block-kit and the error tables of chat.postMessage and views.open. No reference
names the limit on all texts of a message's blocks together: https://github.com/slackapi/bolt-js/issues/2867 saw 11,341
characters refused, /2509 was told of 12,000 less what the blocks around them take.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_TEXT = 40_000
MAX_BLOCKS = 50
MAX_BLOCKS_TEXT = 11_300
MAX_HOME_BLOCKS = 100
MAX_HOME_BYTES = 250_000
MAX_ATTACHMENTS = 100
MAX_METADATA_BYTES = 8_000
_BLOCKS = frozenset(
    {"section", "context", "header", "divider", "actions", "input", "image", "rich_text", "file", "markdown", "video"}
)


class Refused(Exception):
    """Slack's answer `{"ok": false, "error": code}`, with whatever it says beside the code."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


def check_message(arguments: Mapping[str, Any]) -> None:
    """Raise `Refused` where Slack would refuse this message's content."""
    blocks, attachments = arguments.get("blocks") or [], arguments.get("attachments") or []
    text = arguments.get("text") or ""
    if not (text or blocks or attachments):
        raise Refused("no_text")
    if len(text) > MAX_TEXT:
        raise Refused("msg_too_long")
    check_blocks(blocks, "/blocks")
    if len(attachments) > MAX_ATTACHMENTS:
        raise Refused("too_many_attachments")
    for number, attachment in enumerate(attachments):
        check_blocks(attachment.get("blocks") or [], f"/attachments/{number}/blocks")
    if _text_of([blocks, *(attachment.get("blocks") for attachment in attachments)]) > MAX_BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")
    _check_metadata(arguments.get("metadata"))


def check_home(view: Mapping[str, Any]) -> None:
    """Raise `Refused` where views.publish would."""
    if len(json.dumps(view).encode()) > MAX_HOME_BYTES:
        raise Refused("view_too_large")
    check_blocks(view.get("blocks") or [], "/view/blocks", most=MAX_HOME_BLOCKS)


def check_blocks(blocks: Any, path: str, most: int = MAX_BLOCKS) -> None:
    """Raise `Refused("invalid_blocks")`, with Slack's pointers to what is wrong."""
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    faults = list(_faults(blocks, path, most))
    if faults:
        raise Refused("invalid_blocks", errors=faults, response_metadata={"messages": [f"[ERROR] {f}" for f in faults]})


def check_files(arguments: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `Refused("invalid_blocks")` for an image block that names a file that Slack has not, or not whole, or that
    is not an image (https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object)."""
    for number, block in enumerate(arguments.get("blocks") or []):
        named = block.get("slack_file") if block.get("type") == "image" else None
        file = files.get(str(named.get("id"))) if isinstance(named, dict) else None
        shown = file and file["completed"] and str(file["name"]).lower().endswith((".png", ".jpg", ".jpeg", ".gif"))
        if named is not None and not shown:
            fault = f"invalid slack file [json-pointer:/blocks/{number}/slack_file]"
            said = {"errors": [fault], "response_metadata": {"messages": [f"[ERROR] {fault}"]}}
            raise Refused("invalid_blocks", **said)


def check_view(view: Mapping[str, Any]) -> None:
    """Raise `Refused` where views.open would."""
    faults = list(_view_faults(view))
    if faults:
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {fault}" for fault in faults]})
    check_blocks(view.get("blocks") or [], "/view/blocks")


def _view_faults(view: Mapping[str, Any]) -> Iterator[str]:
    if view.get("type") not in {"modal", "home"}:
        yield f"unsupported type: {view.get('type')} [json-pointer:/view/type]"
        return
    if view["type"] == "modal":
        yield from _text(view.get("title"), "/view/title", 24, kinds=("plain_text",))
    for name in ("submit", "close"):
        if view.get(name):
            yield from _text(view[name], f"/view/{name}", 24, kinds=("plain_text",))
    if len(view.get("private_metadata", "")) > 3000:
        yield "must be less than 3001 characters [json-pointer:/view/private_metadata]"
    if len(view.get("callback_id", "")) > 255:
        yield "must be less than 256 characters [json-pointer:/view/callback_id]"
    if any(block.get("type") == "input" for block in view.get("blocks") or []) and not view.get("submit"):
        yield "a view with an input needs `submit` [json-pointer:/view/submit]"


def _text_of(part: Any) -> int:
    """Characters of every `text` in it, however deep."""
    if isinstance(part, list):
        return sum(map(_text_of, part))
    if not isinstance(part, dict):
        return 0
    return sum(len(each) if name == "text" and isinstance(each, str) else _text_of(each) for name, each in part.items())


def _check_metadata(metadata: Any) -> None:
    if not metadata:
        return
    if not (isinstance(metadata, dict) and metadata.get("event_type") and isinstance(metadata["event_payload"], dict)):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > MAX_METADATA_BYTES:
        raise Refused("metadata_too_large")


def _faults(blocks: Sequence[Any], path: str, most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:{path}]"
    for number, block in enumerate(blocks):
        here = f"{path}/{number}"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in _BLOCKS:
            yield f"unsupported type: {kind} [json-pointer:{here}/type]"
            continue
        if len(block.get("block_id", "")) > 255:
            yield f"must be less than 256 characters [json-pointer:{here}/block_id]"
        yield from _CHECKS.get(kind, _anything)(block, here)


def _anything(_block: Mapping[str, Any], _path: str) -> Iterator[str]:
    yield from ()


def _section(block: Mapping[str, Any], path: str) -> Iterator[str]:
    if not (block.get("text") or block.get("fields")):
        yield f"missing required field: text [json-pointer:{path}]"
    if block.get("text"):
        yield from _text(block["text"], f"{path}/text", 3000)
    yield from _many(block.get("fields") or [], f"{path}/fields", 10)
    for number, text in enumerate(block.get("fields") or []):
        yield from _text(text, f"{path}/fields/{number}", 2000)


def _header(block: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _text(block.get("text"), f"{path}/text", 150, kinds=("plain_text",))


def _context(block: Mapping[str, Any], path: str) -> Iterator[str]:
    elements = block.get("elements") or []
    yield from _many(elements, f"{path}/elements", 10, least=1)
    for number, element in enumerate(elements):
        if element.get("type") != "image":
            yield from _text(element, f"{path}/elements/{number}", 3000)


def _actions(block: Mapping[str, Any], path: str) -> Iterator[str]:
    elements = block.get("elements") or []
    yield from _many(elements, f"{path}/elements", 25, least=1)
    ids = [element["action_id"] for element in elements if "action_id" in element]
    if len(set(ids)) < len(ids):
        yield f"action_id must be unique within a block [json-pointer:{path}/elements]"
    for number, element in enumerate(elements):
        if element.get("type") == "button":
            yield from _button(element, f"{path}/elements/{number}")


def _button(button: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _text(button.get("text"), f"{path}/text", 75, kinds=("plain_text",))
    for name, most in (("action_id", 255), ("value", 2000), ("url", 3000)):
        if len(button.get(name, "")) > most:
            yield f"must be less than {most + 1} characters [json-pointer:{path}/{name}]"
    if button.get("style", "primary") not in ("primary", "danger"):
        yield f"unsupported style [json-pointer:{path}/style]"
    if button.get("confirm"):
        for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            if name != "deny" or name in button["confirm"]:
                yield from _text(button["confirm"].get(name), f"{path}/confirm/{name}", most)


def _image(block: Mapping[str, Any], path: str) -> Iterator[str]:
    if not 0 < len(block.get("alt_text") or "") <= 2000:
        yield f"between 1 and 2000 characters of alt_text [json-pointer:{path}/alt_text]"
    if bool(block.get("image_url")) == bool(block.get("slack_file")):
        yield f"either image_url or slack_file [json-pointer:{path}]"
    if block.get("title"):
        yield from _text(block["title"], f"{path}/title", 2000, kinds=("plain_text",))


def _input(block: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _text(block.get("label"), f"{path}/label", 2000, kinds=("plain_text",))
    if not isinstance(block.get("element"), dict):
        yield f"missing required field: element [json-pointer:{path}]"


def _many(items: Sequence[Any], path: str, most: int, least: int = 0) -> Iterator[str]:
    if not least <= len(items) <= most:
        yield f"between {least} and {most} items allowed [json-pointer:{path}]"


def _text(text: Any, path: str, most: int, kinds: Sequence[str] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"must be a text object of {' or '.join(kinds)} [json-pointer:{path}]"
    elif not text.get("text"):
        yield f"must be more than 0 characters [json-pointer:{path}/text]"
    elif len(text["text"]) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{path}/text]"


_CHECKS = {
    "section": _section, "header": _header, "context": _context, "actions": _actions, "input": _input, "image": _image,
}  # fmt: skip

"""Slack's Web API methods over a workspace: arguments in, Slack's answer out, `Refused` for its error codes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.slack.limits import Refused, check_files, check_home, check_message, check_view
from sandbox.slack.workspace import BOT_ID, BOT_USER, Channel, Workspace

Answer = dict[str, Any]
Method = Callable[[Workspace, Mapping[str, Any]], Answer]
CONTENT = ("text", "blocks", "attachments", "metadata")
MAX_UPLOAD_ALT = 1000
"""Characters of an upload's alternative text (reference/methods/files.getUploadURLExternal)."""


def auth_test(workspace: Workspace, _arguments: Mapping[str, Any]) -> Answer:
    return workspace.membership.auth_test(BOT_USER, BOT_ID)


def post_message(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    if str(arguments.get("channel")).startswith(("U", "W")):
        return _direct(workspace, arguments)
    channel = _writable(workspace, arguments)
    check_message(arguments)
    check_files(arguments, workspace.files)
    thread_ts = arguments.get("thread_ts")
    if thread_ts is not None:
        parent = channel.message(thread_ts)
        if parent is None:
            raise Refused("thread_not_found")
        thread_ts = parent.get("thread_ts", thread_ts)  # an answer to a reply joins the reply's thread
    broadcast = bool(arguments.get("reply_broadcast"))
    said = workspace.say(channel, _content(arguments), thread_ts=thread_ts, broadcast=broadcast)
    return {"channel": channel.id, "ts": said["ts"], "message": said}


def publish_view(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    user, view = str(_required(arguments, "user_id")), _structure(_required(arguments, "view"))
    if not user.startswith(("U", "W")):
        raise Refused("user_not_found")
    if view.get("type") != "home":
        raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] unsupported type"]})
    check_home(view)
    home = workspace.membership.installation
    shown = {
        "private_metadata": "", "callback_id": "", **view, "id": f"V0HOME{user}", "team_id": home.team,
        "app_installed_team_id": home.team, "bot_id": BOT_ID, "state": {"values": {}}, "hash": workspace.stamp(),
    }  # fmt: skip
    workspace.homes[user] = shown
    return {"view": shown}


def update(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    channel = _writable(workspace, arguments)
    message = _own_message(channel, _required(arguments, "ts"), "cant_update_message")
    check_message(arguments)
    check_files(arguments, workspace.files)
    for name in ("blocks", "attachments"):
        message.pop(name, None)
    # Without `metadata` in the call the message keeps what it has (reference/methods/chat.update).
    message |= {**_content(arguments), "edited": {"user": BOT_USER, "ts": workspace.stamp()}}
    return {"channel": channel.id, "ts": message["ts"], "text": message.get("text", ""), "message": message}


def delete(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    channel = _writable(workspace, arguments)
    message = _own_message(channel, _required(arguments, "ts"), "cant_delete_message")
    channel.messages.remove(message)
    return {"channel": channel.id, "ts": message["ts"]}


def post_ephemeral(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    channel = _writable(workspace, arguments)
    check_message(arguments)
    said = {"channel": channel.id, "user": _user(arguments), "ts": workspace.stamp(), **_content(arguments)}
    workspace.ephemeral.append(said)
    return {"message_ts": said["ts"]}


def history(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    channel = _readable(workspace, arguments)
    return _page(list(reversed(channel.parents())), arguments)


def replies(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    channel = _readable(workspace, arguments)
    thread = channel.thread(_required(arguments, "ts"))
    if not thread:
        raise Refused("thread_not_found")
    return _page(thread, arguments)


def info(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    channel = _channel(workspace, arguments)
    return {
        "channel": {
            "id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": True,
            "is_member": channel.is_member, "is_archived": channel.is_archived, "is_private": False, "is_im": False,
        }
    }  # fmt: skip


def add_reaction(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    message = _channel(workspace, arguments).message(_required(arguments, "timestamp"))
    if message is None:
        raise Refused("message_not_found")
    name, reactions = _required(arguments, "name"), message.setdefault("reactions", [])
    if any(reaction["name"] == name for reaction in reactions):
        raise Refused("already_reacted")
    reactions.append({"name": name, "users": [BOT_USER], "count": 1})
    return {}


def upload_url(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    name, length = _required(arguments, "filename"), int(_required(arguments, "length"))
    if len(arguments.get("alt_txt") or "") > MAX_UPLOAD_ALT:
        raise Refused("alt_txt_too_large")
    file_id = f"F{len(workspace.files) + 1:010d}"
    workspace.files[file_id] = {
        "id": file_id, "name": name, "title": name, "size": length, "content": None, "completed": False,
        "alt_txt": arguments.get("alt_txt") or "",
        "permalink": f"https://sandbox.slack.com/files/{BOT_USER}/{file_id}/{name}",
    }  # fmt: skip
    return {"upload_url": f"{arguments['_base_url']}upload/{file_id}", "file_id": file_id}


def complete_upload(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    files = []
    for wanted in _structure(_required(arguments, "files")):
        file = workspace.files.get(wanted["id"])
        if file is None or file["content"] is None:
            raise Refused("file_not_found")
        file |= {"title": wanted.get("title") or file["name"], "completed": True}
        files.append({name: value for name, value in file.items() if name not in ("content", "completed")})
    if arguments.get("channel_id"):
        channel = _writable(workspace, {"channel": arguments["channel_id"]})
        message = {"text": arguments.get("initial_comment") or "", "files": files}
        workspace.say(channel, message, thread_ts=arguments.get("thread_ts"), broadcast=False)
    return {"files": files}


def open_view(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    trigger = workspace.triggers.get(_required(arguments, "trigger_id"))
    view = _structure(_required(arguments, "view"))
    check_view(view)
    if trigger is None:
        raise Refused("invalid_trigger_id")
    if trigger.used:
        raise Refused("exchanged_trigger_id")
    if workspace.clock().timestamp() > trigger.expires:
        raise Refused("expired_trigger_id")
    trigger.used = True
    opened = {"private_metadata": "", "callback_id": "", **view, "id": f"V{len(workspace.views) + 1:010d}"}
    home = workspace.membership.installation
    shown = {
        **opened, "team_id": home.team, "app_installed_team_id": home.team, "bot_id": BOT_ID, "state": {"values": {}},
    }  # fmt: skip
    workspace.views.append({**shown, "user": trigger.user, "open": True})
    return {"view": shown}


def user_info(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    needed = "users:read"
    if needed not in workspace.membership.scopes:
        raise Refused("missing_scope", needed=needed, provided=",".join(sorted(workspace.membership.scopes)))
    user = workspace.membership.user(_user(arguments), BOT_USER)
    if user is None:
        raise Refused("user_not_found")
    return {"user": user}


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.info": info,
    "reactions.add": add_reaction,
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": complete_upload,
    "views.open": open_view,
    "views.publish": publish_view,
    "users.info": user_info,
}


def _direct(workspace: Workspace, arguments: Mapping[str, Any]) -> Answer:
    """A message to one person, in the app's own conversation with them."""
    check_message(arguments)
    user = str(arguments["channel"])
    said = {"channel": f"D{user}", "user": user, "ts": workspace.stamp(), **_content(arguments)}
    workspace.ephemeral.append(said)
    return {"channel": said["channel"], "ts": said["ts"], "message": said}


def _required(arguments: Mapping[str, Any], name: str) -> Any:
    if not arguments.get(name):
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
    return arguments[name]


def _channel(workspace: Workspace, arguments: Mapping[str, Any]) -> Channel:
    channel = workspace.channels.get(str(arguments.get("channel")))
    if channel is None:
        raise Refused("channel_not_found")
    return channel


def _readable(workspace: Workspace, arguments: Mapping[str, Any]) -> Channel:
    channel = _channel(workspace, arguments)
    if not channel.is_member:
        raise Refused("not_in_channel")
    return channel


def _writable(workspace: Workspace, arguments: Mapping[str, Any]) -> Channel:
    channel = _readable(workspace, arguments)
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def _own_message(channel: Channel, ts: str, refusal: str) -> dict[str, Any]:
    message = channel.message(ts)
    if message is None:
        raise Refused("message_not_found")
    if message["user"] != BOT_USER:
        raise Refused(refusal)
    return message


def _user(arguments: Mapping[str, Any]) -> str:
    user = str(_required(arguments, "user"))
    if not user.startswith(("U", "W")):
        raise Refused("user_not_found")
    return user


def _content(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": "", **{name: arguments[name] for name in CONTENT if arguments.get(name)}}


def _structure(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _page(messages: list[dict[str, Any]], arguments: Mapping[str, Any]) -> Answer:
    """A page of at most 999; the cursor is where the next one starts."""
    start = int(arguments.get("cursor") or 0)
    end = start + min(int(arguments.get("limit") or 100), 999)
    if str(arguments.get("include_all_metadata", "")).lower() not in {"1", "true"}:
        messages = [{k: v for k, v in message.items() if k != "metadata"} for message in messages]
    more = end < len(messages)
    cursor = {"response_metadata": {"next_cursor": str(end)}} if more else {}
    return {"messages": messages[start:end], "has_more": more, **cursor}

"""The modal that asks why a request is rejected. Pure.

Source: https://docs.slack.dev/reference/views/modal-views (title and buttons 24 characters, private_metadata 3000).
"""

import json
from typing import Any

from approval_desk.parsing import Command
from governor.approvals.approval import Request
from governor.slack.requests import PREFIX
from governor.slack.text import clip, escape, mention

MAX_REASON = 500


def why_modal(wanted: Command, channel: str, asked: Request) -> dict[str, Any]:
    """The view, which says what is rejected, by the stored request; what it is about comes back with the answer in
    `private_metadata`."""
    held = {"approval": wanted.subject, "digest": wanted.detail.get("digest", ""), "channel": channel}
    return {
        "type": "modal",
        "callback_id": f"{PREFIX}reject",
        "private_metadata": json.dumps(held, separators=(",", ":")),
        "title": {"type": "plain_text", "text": "Reject"},
        "submit": {"type": "plain_text", "text": "Reject"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": _about(asked)}},
            {
                "type": "input",
                "block_id": "why",
                "label": {"type": "plain_text", "text": "Why?"},
                "element": {
                    "type": "plain_text_input",
                    "action_id": "reason",
                    "multiline": True,
                    "max_length": MAX_REASON,
                },
            },
        ],
    }


def _about(asked: Request) -> str:
    lines = (f"• {escape(line)}" for line in asked.shown)
    who, name = mention(asked.requested_by), escape(asked.name or asked.subject)
    return clip(
        "\n".join(
            [
                f"You reject what {who} asks for: {asked.kind.replace('_', ' ')}, {name}. Nothing is changed then.",
                *lines,
            ]
        ),
        3000,
    )

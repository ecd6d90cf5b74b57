"""The modal that asks why a request is rejected. Pure.

Source: https://docs.slack.dev/reference/views/modal-views (title and buttons 24 characters, private_metadata 3000).
"""

import json
from typing import Any

from approval_desk.wishes import Wish
from governor.slack_requests import PREFIX

MAX_REASON = 500


def why_modal(wanted: Wish, channel: str) -> dict[str, Any]:
    """The view; what it is about comes back with the answer in `private_metadata`."""
    held = {"approval": wanted.subject, "digest": wanted.detail.get("digest", ""), "channel": channel}
    return {
        "type": "modal",
        "callback_id": f"{PREFIX}reject",
        "private_metadata": json.dumps(held, separators=(",", ":")),
        "title": {"type": "plain_text", "text": "Reject"},
        "submit": {"type": "plain_text", "text": "Reject"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
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
            }
        ],
    }

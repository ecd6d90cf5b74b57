"""A message as plain mail, for when it cannot be shown in Slack."""

import re
from dataclasses import dataclass

from governor.slack.channel import Message

_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_EMPHASIS = re.compile(r"(?<!\w)[*`]([^*`\n]+)[*`](?!\w)")


@dataclass(frozen=True)
class Mail:
    subject: str
    body: str


def mail(message: Message, why: str, *, repeated: bool) -> Mail:
    """`why`: what kept it from Slack, empty when Slack is not used. `repeated`: an earlier copy may have gone out."""
    headline = plain(message.text)
    notes = [
        f"Why this comes by mail: {plain(why)}" if why else "",
        "An earlier copy may have reached you: it was cut off before it was noted down." if repeated else "",
    ]
    parts = [headline, *map(plain, message.sections), *map(plain, message.context), *notes]
    return Mail(f"[Governor{', again' if repeated else ''}] {headline}", "\n\n".join(part for part in parts if part))


def plain(mrkdwn: str) -> str:
    """mrkdwn as plain text: references by their text, links spelt out, no emphasis."""
    text = _EMPHASIS.sub(r"\1", _REFERENCE.sub(_reference, mrkdwn))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _reference(match: re.Match[str]) -> str:
    target, text = match[1], match[2]
    if target.startswith("!"):
        return text or target[1:]
    if target.startswith(("@", "#")):
        return text or target[1:]
    return f"{text} {target}" if text else target

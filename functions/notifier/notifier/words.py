"""What a message is made of, before Slack or mail gives it a form."""

from collections.abc import Sequence
from dataclasses import dataclass

from governor.slack.channel import MAX_SECTION, Button

RED, ORANGE, YELLOW, GREEN = "#d72b3f", "#e8912d", "#ecb22e", "#2eb67d"


@dataclass(frozen=True)
class Words:
    """`headline` in mrkdwn, `facts` one per line, `todo` for the human (empty: nothing), and buttons to do it with."""

    headline: str
    color: str
    facts: tuple[str, ...] = ()
    todo: str = ""
    actions: tuple[Button, ...] = ()


MAX_FACTS = 9_000
"""Characters of all facts of a message: Slack refuses a message of more than about 13,000 with `msg_blocks_too_long`
(bolt-js issue 2509; no reference names the figure)."""


def sections_of(facts: Sequence[str]) -> tuple[str, ...]:
    """The facts, one a line, in as few sections as Slack's limit for one allows; no line is cut where another fits.

    What finds no room at all is counted in the first line: a message that hides something says so.
    """
    kept = _fitting(facts, MAX_FACTS)
    if kept < len(facts):
        kept = _fitting(facts, MAX_FACTS - 100)
        facts = (f"⚠ {len(facts) - kept} of {len(facts)} lines are left out here", *facts[:kept])
    made = [""]
    for fact in facts:
        if made[-1] and len(made[-1]) + 1 + len(fact) > MAX_SECTION:
            made.append("")
        made[-1] += f"\n{fact}" if made[-1] else fact
    return tuple(made) if made[0] else ()


def _fitting(facts: Sequence[str], room: int) -> int:
    for index, fact in enumerate(facts):
        room -= min(len(fact), MAX_SECTION) + 1
        if room < 0:
            return index
    return len(facts)

"""What a message is made of, before Slack or mail gives it a form."""

from dataclasses import dataclass

from governor.slack import Button

RED, ORANGE, YELLOW, GREEN = "#d72b3f", "#e8912d", "#ecb22e", "#2eb67d"


@dataclass(frozen=True)
class Words:
    """`headline` in mrkdwn, `facts` one per line, `todo` for the human (empty: nothing), and buttons to do it with."""

    headline: str
    color: str
    facts: tuple[str, ...] = ()
    todo: str = ""
    actions: tuple[Button, ...] = ()

"""A message as lines of Markdown, for the golden files."""

from collections.abc import Iterator

from governor.slack.channel import Button, Message


def lines(message: Message) -> Iterator[str]:
    """The headline in bold, the sections, the small print, and each button with the question that it asks first."""
    yield f"**{message.text}**"
    for section in message.sections:
        yield f"\n{section}"
    for small in message.context:
        yield f"\n> {small}"
    for button in message.actions:
        yield f"\n{_button(button)}"


def _button(button: Button) -> str:
    style = f", {button.style}" if button.style else ""
    question = f": {button.confirm}" if button.confirm else ""
    return f"[{button.text}{style}]{question}"

"""Every Slack message as people read it, one file a kind, in `tests/golden/slack/`; and what one person alone is told.

    python -m tests.contract.slack.golden        writes them anew

A file holds each example of its kind: the headline, which a notification shows alone, the sections, the small print,
and the buttons with the question that each asks first. Slack's own escapes are left: `<@U0LEAD>` is a person's name.
"""

from pathlib import Path

from governor.events import DetailType, Event
from governor.slack.channel import Message
from notifier.decide import decide
from notifier.incident import Incident
from notifier.kinds import MODELS, incident_key
from tests.contract.slack import spoken
from tests.contract.slack.examples import POLICY, ROOT, examples, others
from tests.contract.slack.rendered import lines
from tests.contract.slack.threads import threads

ENDED = {DetailType.APPROVAL_REJECTED: ("restore", "promotion"), DetailType.APPROVAL_EXPIRED: ("restore", "promotion")}
"""Requests that were not granted: of the kinds, which differ in their name alone, two are shown."""
FOLDER = ROOT / "tests" / "golden" / "slack"


def pages() -> dict[str, str]:
    """The text of each file, by its name."""
    found: dict[DetailType, list[Event]] = {kind: [] for kind in MODELS}
    for event in (*examples(), *others()):
        if event.detail_type not in ENDED or event.evidence["kind"] in ENDED[event.detail_type]:
            found[event.detail_type].append(event)
    missing = [kind.value for kind, events in found.items() if not events]
    assert not missing, f"tests/contract/slack/examples.py has no event for {missing}"
    return (
        {_name(kind): _page(kind, events) for kind, events in found.items()}
        | {"threads.md": "# Threads\n\n" + "\n\n".join(threads()) + "\n"}
        | spoken.pages()
    )


def _name(kind: DetailType) -> str:
    return f"{kind.value.lower().replace(' ', '-')}.md"


def _page(kind: DetailType, events: list[Event]) -> str:
    texts = list(dict.fromkeys("\n".join(lines(_message(event))) for event in events))
    return f"# {kind.value}\n\n" + "\n\n---\n\n".join(texts) + "\n"


def _message(event: Event) -> Message:
    """The first message of a thread, which bears the buttons."""
    return decide(Incident(incident_key(event)), event, POLICY).parent


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in folder.glob("*.md"):
        if path.name not in wanted and path.name != "README.md":
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write()

"""The text of a difference goes to Slack as a file; where prompts are private, without any text."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from governor.policy import Preset
from governor.slack.channel import SlackError, SlackUnavailable
from management_api import Deadline
from preset_promotion.ports import Turn
from preset_promotion.requesting import upload


@dataclass
class Channel:
    """Takes files, unless it has trouble."""

    trouble: SlackError | None = None
    files: list[tuple[str, str]] = field(default_factory=list)

    def upload(self, name: str, text: str, comment: str) -> str:
        if self.trouble:
            raise self.trouble
        self.files.append((name, text))
        return "https://slack.example/file"

    def warning(self, *_: Any, **__: Any) -> None:
        """The log of a trouble."""


def uploaded(
    channel: Channel | None, prompts: str = "shown", text: str = "+a line"
) -> tuple[str | None, tuple[str, ...]]:
    preset = Preset.model_validate(
        {
            "slug": "s", "from": "a", "to": "b", "from_secret": "x", "to_secret": "y",
            "approvers": ["U0LEAD", "U0SEC"],
            "prompts": prompts,
        }
    )  # fmt: skip
    ports = cast(Any, type("Ports", (), {"files": channel, "log": channel})())
    return upload(Turn(ports, preset, cast(Any, None), Deadline(lambda: 9.0)), "s-2.diff", text)


def test_a_difference_of_any_length_is_one_file() -> None:
    channel = Channel()
    assert uploaded(channel, text="+x\n" * 20_000) == ("https://slack.example/file", ())
    assert channel.files == [("s-2.diff", "+x\n" * 20_000)]


def test_with_private_prompts_people_are_told_what_the_file_lacks() -> None:
    file, lines = uploaded(Channel(), prompts="private")
    assert file == "https://slack.example/file"
    assert "prompts are private" in lines[0]


@pytest.mark.parametrize("channel", [None, Channel()])
def test_without_slack_or_without_a_difference_there_is_no_file(channel: Channel | None) -> None:
    assert uploaded(channel, text="" if channel else "+a line") == (None, ())


def test_a_slack_that_is_down_keeps_nobody_from_being_asked() -> None:
    file, lines = uploaded(Channel(SlackUnavailable("down")))
    assert file is None
    assert lines == ("⚠ The whole difference could not be uploaded to Slack: read it at OpenRouter",)

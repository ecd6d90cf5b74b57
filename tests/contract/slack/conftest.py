"""Slack's simulator over a socket."""

from collections.abc import Iterator

import pytest

from sandbox.slack import SlackSimulator


@pytest.fixture
def simulator() -> SlackSimulator:
    return SlackSimulator("xoxb-fake")


@pytest.fixture
def url(simulator: SlackSimulator) -> Iterator[str]:
    with simulator.serve() as url:
        yield url

"""The messages are those that a reviewer has read: `tests/golden/slack/`."""

import pytest

from tests.contract.slack.golden import FOLDER, pages

PAGES = pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_message_reads_as_its_golden_file_says(name: str) -> None:
    path = FOLDER / name
    assert path.exists(), "python -m tests.contract.slack.golden writes it; then read it"
    assert PAGES[name] == path.read_text(), "read the difference; python -m tests.contract.slack.golden writes it anew"


def test_each_golden_file_is_of_a_kind_that_there_is() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == {*PAGES, "README.md"}

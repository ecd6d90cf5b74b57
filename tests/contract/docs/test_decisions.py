"""Every record of a decision says whether it holds, and the index has all of them."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("0*.md"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem[:4])
def test_a_record_has_its_number_its_status_and_its_row(path: Path) -> None:
    title, _, status, *_ = path.read_text().splitlines()
    number = int(path.stem[:4])
    assert title.startswith(f"# {number}. ")
    assert re.fullmatch(r"Status: (accepted|superseded), 2026-\d\d-\d\d(; .+)?\.", status), status
    row = (
        f"| {number} | [{title.removeprefix(f'# {number}. ')}]({path.name}) | {status.removeprefix('Status: ')[:-1]} |"
    )
    assert row in (FOLDER / "README.md").read_text().splitlines()


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem[:4])
def test_a_record_says_what_follows_from_it(path: Path) -> None:
    assert re.search(r"^(\*\*|## )Consequences\b", path.read_text(), re.MULTILINE)


def test_no_number_is_given_twice() -> None:
    numbers = [path.stem[:4] for path in RECORDS]
    assert len(numbers) == len(set(numbers))

"""Words that only this project used are gone, and stay gone: docs/glossary.md has those that it needs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INSTEAD = {
    r"beats?": "run (of a schedule), reading (of the meter); tick in code",
    r"leash": "rate limit of automatic disables",
    r"wish|wishes": "command, request",
    r"tending": "run, maintenance",
    r"borne[ _]out|NotBorneOut": "confirmed",
    r"CauseBook|Means": "CauseStore, Ports",
}
STORED = ("account_leash", '"leash"', "`leash`", "leash#", " leash,", 'facts["beat"]', '"beat": state.tick')
"""Names in rows, events and rules of other people, which a word is not worth breaking."""
EXEMPT = {
    Path("docs/glossary.md"),
    Path("docs/decisions/0060-packages-by-concept-and-plain-words.md"),
    Path("tests/contract/docs/test_glossary.py"),
}
PLACES = ("functions", "layers", "cli", "sandbox", "tools", "tests", "docs", "events")


def _texts() -> Iterator[Path]:
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "template.yaml", "Makefile"))
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*")):
            if path.suffix in (".py", ".md", ".yaml", ".html", ".js") and "node_modules" not in path.parts:
                yield path


@pytest.mark.parametrize("word", INSTEAD)
def test_no_text_uses_a_word_that_only_we_understand(word: str) -> None:
    found = []
    for path in _texts():
        if path.relative_to(ROOT) in EXEMPT:
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            for stored in STORED:
                line = line.replace(stored, "")
            if re.search(rf"\b({word})\b", line, flags=0 if word[0].isupper() else re.IGNORECASE):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, f"say {INSTEAD[word]!r} instead:\n" + "\n".join(found)


def test_the_glossary_has_a_dozen_words_and_each_is_used() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    words = re.findall(r"^\| ([a-z ]+) \|", glossary, flags=re.MULTILINE)
    assert 0 < len(words) <= 12
    other = "\n".join(path.read_text() for path in (ROOT / "docs").glob("*.md") if path.name != "glossary.md")
    assert not [word for word in words if word not in other.lower()]

"""What `docs/sandbox.md` shows is so: its seed is declared, its requests answer the status that stands below them."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sandbox.openrouter import Simulator
from sandbox.openrouter.faults import Mode
from sandbox.openrouter.troubles import STATUSES
from sandbox.slack import SlackSimulator

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "sandbox.md").read_text()
REQUESTS = re.findall(r"^curl (.+)\n# (\d{3})", TEXT, flags=re.MULTILINE)


@pytest.fixture
def served() -> Iterator[dict[str, str]]:
    """Both simulators; the origins that the document names, and those of this test."""
    seed = re.findall(r"^```json\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)[0]
    openrouter = Simulator("sk-or-v1-fake-management")
    openrouter.declare(json.loads(seed))
    with ExitStack() as stack:
        yield {
            "http://localhost:8787": stack.enter_context(openrouter.serve()).removesuffix("/api/v1"),
            "http://localhost:8788": stack.enter_context(SlackSimulator("xoxb-fake").serve()).removesuffix("/api/"),
        }


def _send(arguments: list[str], served: dict[str, str]) -> httpx.Response:
    """As curl would, for the options that the document uses."""
    options: dict[str, list[str]] = {"-H": [], "-d": [], "-X": []}
    url = ""
    words = iter(arguments)
    for word in words:
        if word in options:
            options[word].append(next(words))
        else:
            url = word
    for shown, here in served.items():
        url = url.replace(shown, here)
    headers = dict(header.split(": ", 1) for header in options["-H"])
    method = (options["-X"] or ["POST" if options["-d"] else "GET"])[0]
    if options["-d"]:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return httpx.request(method, url, headers=headers, content="&".join(options["-d"]), timeout=10)


def test_every_request_answers_what_stands_below_it(served: dict[str, str]) -> None:
    assert len(REQUESTS) >= 15
    for command, status in REQUESTS:
        assert (command, _send(shlex.split(command), served).status_code) == (command, int(status))


def test_every_mode_of_a_fault_is_explained() -> None:
    table = TEXT.partition("| mode |")[2].partition("\n\n")[0]
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|([^|]+)\|", table, flags=re.MULTILINE))))
    assert explained == set(Mode.__value__.__args__)


def test_every_trouble_of_a_credential_is_explained_by_its_status() -> None:
    table = TEXT.partition("| trouble |")[2].partition("\n\n")[0]
    explained = dict(re.findall(r"^\| `(\w+)` \| (\d+)", table, flags=re.MULTILINE))
    assert explained == {kind: str(status) for kind, status in STATUSES.items()}


def test_the_test_shown_is_python_whose_imports_exist() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example, "docs/sandbox.md", "exec"), names)
    assert any(name.startswith("test_") for name in names)

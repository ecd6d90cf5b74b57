"""Documents may not disagree with the code: their examples run, their tables are held against what they list."""

import json
import re
from pathlib import Path

import pytest

from governor.events import Event
from tools.event_schemas import EVIDENCE
from tools.policy import PolicyFault, compile_policy

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("functions/*/README.md")])


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), flags=re.MULTILINE | re.DOTALL)


POLICIES = [block for path in DOCUMENTS for block in _blocks(path, "yaml") if block.startswith("version:")]
ENTRIES = [
    entry
    for path in DOCUMENTS
    for block in _blocks(path, "sh")
    for text in re.findall(r"put-events --entries '(.*?)'", block, flags=re.DOTALL)
    for entry in json.loads(text)
]


@pytest.mark.parametrize("text", POLICIES)
def test_every_policy_in_a_document_holds(text: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    compile_policy(tmp_path / "policy.yaml")


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_event_in_a_document_is_understood(entry: dict[str, str]) -> None:
    event = Event.received(
        {
            "id": "from-a-document",
            "time": "2026-01-05T03:00:00Z",
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": json.loads(entry["Detail"]),
        }
    )
    EVIDENCE[event.detail_type].model_validate(event.evidence)


def test_the_documents_hold_examples_at_all() -> None:
    assert len(POLICIES) >= 2
    assert len(ENTRIES) >= 2


def test_the_faults_shown_in_the_policys_document_are_what_the_compiler_says(tmp_path: Path) -> None:
    text = (ROOT / "layers" / "policy" / "policy.yaml").read_text()
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace("    tier: 1 ", "    tierx: 1 ").replace("every: 60d", "every: 60y"))
    with pytest.raises(PolicyFault) as caught:
        compile_policy(path)
    said = {line.replace(str(path), "layers/policy/policy.yaml") for line in str(caught.value).splitlines()}
    shown = {
        line for line in (ROOT / "docs" / "policy.md").read_text().splitlines() if line.startswith("layers/policy/")
    }
    assert said == shown


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for path in DOCUMENTS:
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(), flags=re.MULTILINE))
        assert named <= targets, path


def test_the_readme_lists_the_functions_that_there_are() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(functions/(\w+)/README\.md\)", (ROOT / "README.md").read_text(), re.MULTILINE)
    folders = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())
    assert sorted(name for name, _ in rows) == folders
    assert all(name == folder for name, folder in rows)


def test_no_link_between_documents_is_broken() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"


def test_operations_explain_every_rule_of_the_kill_switch_in_the_order_it_is_asked() -> None:
    code = (ROOT / "functions" / "kill_switch" / "kill_switch" / "decide.py").read_text()
    listed = re.findall(r"^ ?\d+\. +(.*?)(?: {2,}|$)", code.partition('"""')[2].partition('"""')[0], flags=re.MULTILINE)
    asked = [rule for line in listed for rule in re.findall(r"`(\w+)`", line)]
    # in_hand tells again what was told; the last two are the deeds themselves.
    rules = [rule for rule in dict.fromkeys(asked) if rule not in ("in_hand", "disable", "restore")]
    assert len(rules) >= 14
    disable, restore = rules[: rules.index("by_event")], rules[rules.index("by_event") :]
    assert _explained("Disable Withheld") == disable
    assert _explained("Restore a key") == restore


def _explained(section: str) -> list[str]:
    """The rules that the tables of a section of the operations' handbook explain, in order."""
    text = (ROOT / "docs" / "operations.md").read_text()
    body = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|.*\|.*\|$", body, flags=re.MULTILINE)


def test_the_mistakes_shown_in_the_command_lines_document_are_what_the_check_says(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "version: 1\nworkloads:\n\n\n\n"
        "  - name: aa\n    workspace: w\n    owner: {slack: U0A}\n    key: {limit_usd: $200}\n"
        "\n  - name: bb\n    workspace: w\n    owner: {slack: U0A}\n    runaway: {mode: off}\n"
    )
    with pytest.raises(PolicyFault) as caught:
        compile_policy(path)
    shown = [line for line in (ROOT / "docs" / "cli.md").read_text().splitlines() if line.startswith("policy.yaml:")]
    assert [line.replace(str(path), "policy.yaml") for line in str(caught.value).splitlines()] == shown


def test_every_file_in_a_picture_of_the_architecture_is_linked_below_it() -> None:
    parts = re.findall(
        r"```mermaid\n(.*?)```\n\n(.*?)\n\n", (ROOT / "docs" / "architecture.md").read_text(), flags=re.DOTALL
    )
    assert len(parts) == 7
    for picture, below in parts:
        boxes, links = re.findall(r'\["([\w/]+\.py)"\]', picture), re.findall(r"\[([\w/]+\.py)\]\(([^)]+)\)", below)
        assert boxes == [name for name, _ in links]
        assert all(target.endswith(name) for name, target in links)


def test_every_file_and_test_in_a_checklist_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Checklists")[2].partition("\n## ")[0]
    named = {
        name for name in re.findall(r"`([\w/.]+)`", text) if "/" in name[1:-1] and name[0] != "/" and "NAME" not in name
    }
    places = (ROOT, ROOT / "layers/governor/src", ROOT / "functions/notifier")
    assert len(named) > 15
    assert not [name for name in named if not any((place / name).exists() for place in places)]
    tests = "\n".join(path.read_text() for path in (ROOT / "tests" / "contract").rglob("*.py"))
    assert not [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests]

"""Writes docs/rules.md: every rule that decides something, from the numbered lists in the modules' docstrings.

    python -m tests.contract.docs.rule_index [FILE]

Nothing is kept by hand. A rule's line in its docstring says when it applies; a test that names it and the table row
that explains it are looked up by its id, in tests of that function and in the sections about its events.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cli.rulebook import SECTIONS
from governor.events.publishers import PUBLISHES
from notifier.kinds import MODELS

ROOT = Path(__file__).resolve().parents[3]
TRIED_BY = {
    "approval.py": "approval_desk",
    "truth.py": "notifier",
    "evidence.py": "spend_meter",
    "rollback.py": "key_retirement",
    "members.py": "approval_desk",
}
"""Whose tests try the lists of the layer."""
HEAD = """# Rules

Each list is asked in its order; the first rule that applies decides. `python -m tests.contract.docs.rule_index` writes
this from the modules' docstrings. The id of a rule stands in the event's `rule`, in the log, in the small print of the
Slack message, and here. From a message to its rule, its test and its document, in the project's folder:

```sh
grep -n 'tier_zero' docs/rules.md             # the list that it is in, when it applies, its test, its document
grep -rn 'tier_zero' --include=*.py functions layers  # the code
grep -rln 'tier_zero' tests/unit              # every test that names it
```
"""


def text() -> str:
    """The document."""
    return "\n".join([HEAD, *_sections()])


type Listed = list[tuple[str, list[tuple[str, str]]]]


@cache
def listed(path: Path) -> Listed:
    """The lists in a module's docstrings: what stands above each, and its rules with what is said of them."""
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, nodes)]
    return [one for doc in docs for one in _lists(doc)]


def _lists(doc: str) -> Listed:
    found: Listed = []
    above, last, ids = "", 0, list[str]()
    for line in doc.splitlines():
        match = re.match(r" *(\d+)\. +((?:`\w+`(?:, )?)+) *(.*)", line)
        if match:
            if int(match[1]) <= last or not found:
                found.append((above, []))
            last = int(match[1])
            ids = re.findall(r"`(\w+)`", match[2])
            found[-1][1].extend((id, match[3]) for id in ids)
        elif found and last and line.startswith("   ") and ids:
            found[-1][1][-len(ids) :] = [(id, f"{when} {line.strip()}") for id, when in found[-1][1][-len(ids) :]]
        else:
            above, last = (line.strip() or above), (0 if line.strip() else last)
    return found


def modules() -> list[Path]:
    """Every module of a function, and of the layer, in whose docstrings is a list of rules."""
    layer = (ROOT / "layers" / "governor" / "src" / "governor").rglob("*.py")
    return [path for path in (*sorted((ROOT / "functions").glob("*/*/*.py")), *sorted(layer)) if listed(path)]


def _sections() -> Iterator[str]:
    function = ""
    for path in modules():
        owner = path.parent.name if "functions" in path.parts else "governor"
        if owner != function:
            function = owner
            yield f"## {function}\n"
            yield f"{_events(function)}\n"
        for above, rules in listed(path):
            where = path.relative_to(ROOT)
            yield f"[`{where.name}`](../{where}): {above.rstrip(':')}\n"
            yield "| rule | when | test | explained |"
            yield "|---|---|---|---|"
            tried_by = TRIED_BY.get(path.name, function) if function == "governor" else function
            for id, when in rules:
                explained = ", ".join(sorted(set(_explained(id, function))))
                yield f"| `{id}` | {when.replace('|', '\\|')} | {_test(id, tried_by)} | {explained} |"
            yield ""


def _events(function: str) -> str:
    if function not in PUBLISHES:
        return "The layer's own: several functions decide by these."
    kinds = [kind for kind in MODELS if kind in PUBLISHES[function] and "rule" in MODELS[kind].model_fields]
    if not kinds:
        return "No event of this function names a rule; its log does."
    shown = [f"[{kind.value}](../tests/golden/slack/{kind.value.lower().replace(' ', '-')}.md)" for kind in kinds]
    return f"Its events that name a rule, and how they read: {', '.join(sorted(shown))}."


def _test(id: str, function: str) -> str:
    """The first of the function's test files that names the rule, or of the tests that import the function."""
    own = sorted((ROOT / "tests" / "unit" / function).rglob("test_*.py"))
    others = [path for folder in ("unit", "faults", "e2e") for path in sorted((ROOT / "tests" / folder).rglob("*.py"))]
    for path in (*own, *others):
        code = _read(path)
        named = f'"{id}"' in code or (function == "spend_meter" and f"Rule.{id.upper()}" in code)
        if named and (path in own or re.search(rf"(from|import) {function}\b", code)):
            return f"[{path.name}](../{path.relative_to(ROOT)})"
    return ""


@cache
def _read(path: Path) -> str:
    return path.read_text()


def _explained(id: str, function: str) -> Iterator[str]:
    """The sections about the function's events, and of its README, with a row of a table that holds the rule."""
    kinds = PUBLISHES.get(function, frozenset(SECTIONS))
    places = {SECTIONS[kind] for kind in kinds if kind in SECTIONS}
    own = [(f"../functions/{function}/README.md", "")] if function in PUBLISHES else []
    for name, file in [*((place[0], place[0]) for place in places), *own]:
        for section in re.split(r"\n(?=##+ )", _read(ROOT / "docs" / name)):
            heading = section.partition("\n")[0].lstrip("#").strip()
            if (not file or (file, heading) in places) and re.search(rf"^\|.*`{id}`.*\|", section, flags=re.MULTILINE):
                anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                yield f"[{heading}]({name}#{anchor})"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "rules.md").write_text(text() + "\n")

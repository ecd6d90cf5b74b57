"""`template.yaml` from `template/`, where what repeats with every function stands once (docs/decisions/0061).

`python -m tools.template` writes it; `tests/contract/template/test_made.py` refuses one that `template/` does not make.
"""

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).resolve().parent.parent
_SECTION = re.compile(r"[A-Z][A-Za-z]+:$|  # --- ")
"""A line that a blank one stands before."""
SOURCE, TARGET = ROOT / "template", ROOT / "template.yaml"


def render() -> str:
    """The template's text. Raises `jinja2.TemplateError` with the file and line that are wrong."""
    # autoescape is for HTML; what is made here is YAML.
    environment = Environment(loader=FileSystemLoader(SOURCE), undefined=StrictUndefined, autoescape=False)
    environment.filters |= {"flow": _flow, "actions_of": _actions_of, "each": _each}
    lines = (line for line in environment.get_template("stack.yaml.j2").render().splitlines() if line.strip())
    return "\n".join(f"\n{line}" if _SECTION.match(line) else line for line in lines) + "\n"


def _flow(value: object) -> str:
    """A string or a list of strings as YAML on one line: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _actions_of(service: str, names: str) -> str | list[str]:
    """The service's actions by these names; a single one is not a list."""
    actions = [f"{service}:{name}" for name in names.split()]
    return actions if len(actions) > 1 else actions[0]


def _each(names: str | list[str], before: str, after: str) -> str:
    """One name, or a list on one line, with something before and after each."""
    if isinstance(names, str):
        return f"{before}{names}{after}"
    return f"[{', '.join(f'{before}{name}{after}' for name in names)}]"


if __name__ == "__main__":
    TARGET.write_text(render())

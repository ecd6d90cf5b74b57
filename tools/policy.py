"""Checks `policy.yaml` and compiles it to the JSON that the policy layer carries; writes the JSON Schema for editors.

    python -m tools.policy build layers/policy/policy.yaml OUT_DIRECTORY
    python -m tools.policy schema > layers/policy/policy.schema.json

YAML is read here, at build, so that no function pays for a YAML parser at cold start.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from governor.policy import Policy
from redaction import redact

BY_EVENT = (
    "approvals.by_event is true. Whoever may put events on the bus can write an approver's name in one, and Governor "
    "believes it: restores, approvals, drills and leak reports are then decided without any proof of who decides. Set "
    "it to false once the Slack app is installed."
)


class PolicyFault(Exception):
    """The policy does not hold; the message names file, line, field and what is wrong."""


def compile_policy(path: Path) -> Policy:
    """The policy in a YAML file. Raises `PolicyFault` with one line per fault."""
    text = path.read_text("utf-8")
    _refuse_credentials(path, text)
    try:
        _refuse_aliases(path, text)
        document = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated_fields(path, document)
        return Policy.model_validate(yaml.safe_load(text))
    except RecursionError:
        raise PolicyFault(
            f"{path}: nested too deep to be a policy; see docs/policy.md for the fields there are"
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyFault(f"{path}:{line}: not YAML: {error.problem}") from error
    except ValidationError as error:
        faults = [
            f"{path}:{_line(document, fault['loc'])}: {'.'.join(map(str, fault['loc'])) or 'policy'}: {_advice(fault)}"
            for fault in error.errors()
        ]
        raise PolicyFault("\n".join(faults)) from error


def _advice(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown field; see docs/policy.md for the fields there are"
    return str(fault["msg"]).removeprefix("Value error, ")


def _line(node: yaml.Node | None, location: tuple[str | int, ...]) -> int:
    """The line (from 1) of the deepest part of `location` that the document holds."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _refuse_credentials(path: Path, text: str) -> None:
    """A credential in the policy would be committed, compiled into a layer and quoted by errors."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if redact(line) != line]
    if lines:
        faults = (
            f"{path}:{number}: looks like a credential. Store it in Secrets Manager, write the secret's name here, and "
            "replace the credential: it may have been committed."
            for number in lines
        )
        raise PolicyFault("\n".join(faults))


def _refuse_aliases(path: Path, text: str) -> None:
    """Aliases of aliases make gigabytes of a few lines, and a reviewer should read what holds where it stands."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise PolicyFault(f"{path}:{line}: *{event.anchor}: aliases are not taken; write the value out")


def _refuse_repeated_fields(path: Path, node: yaml.Node | None) -> None:
    """YAML itself keeps the last of two equal fields and says nothing; a policy may not be so quiet."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise PolicyFault(f"{path}:{key.start_mark.line + 1}: a field's name must be a text")
            if key.value in seen:
                raise PolicyFault(f"{path}:{key.start_mark.line + 1}: {key.value}: field given twice")
            seen.add(key.value)
            _refuse_repeated_fields(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_fields(path, value)


def main(arguments: list[str]) -> int:
    """Runs the command line; 1 when the policy is at fault, 2 when the command is."""
    match arguments:
        case ["build", source, target]:
            try:
                policy = compile_policy(Path(source))
            except PolicyFault as fault:
                print(fault, file=sys.stderr)
                return 1
            if policy.believes_events:
                print(f"{source}: {BY_EVENT}", file=sys.stderr)
            package = Path(target) / "governor_policy"
            package.mkdir(parents=True, exist_ok=True)
            (package / "__init__.py").write_text('"""The compiled policy."""\n')
            (package / "policy.json").write_text(policy.model_dump_json(by_alias=True, exclude_none=True))
            return 0
        case ["schema"]:
            print(json.dumps(Policy.model_json_schema(), indent=2))
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

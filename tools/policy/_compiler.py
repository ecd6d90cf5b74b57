"""From YAML to a checked `Policy`. Everything that can be wrong is a `Fault` with line, field and fix."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from governor.policy import Policy, lineage_name
from redaction import redact
from tools.policy._advice import advice
from tools.policy._faults import SHOWN, Fault, PolicyFault, line_of

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML has it: ten thousand workloads take a second and not half a minute."""
MOST_BYTES = 4_000_000
"""No policy is larger: every function reads the compiled one at its cold start."""


def compile_policy(path: Path) -> Policy:
    """The policy in a YAML file. Raises `PolicyFault` with one line per fault."""
    return checked(path)[0]


def checked(path: Path) -> tuple[Policy, yaml.Node | None]:
    """The policy in a YAML file, and the document it was read from. Raises `PolicyFault`."""
    name = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _only(name, 1, "policy", f"cannot be read: {error.strerror}", "Give the path of a policy.yaml") from None
    if len(raw) > MOST_BYTES:
        what = f"is {len(raw) / 1e6:.1f} MB large; a policy has {MOST_BYTES // 1_000_000} MB at the most"
        raise _only(name, 1, "policy", what, "Declare the workloads that matter; `defaults` hold for every other key")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _only(name, line, "policy", "is not UTF-8 text", "Save the file as UTF-8") from None
    return compile_text(name, text)


def compile_text(path: str, text: str) -> tuple[Policy, yaml.Node | None]:
    """The policy in a text, and its document. `path`: as the faults name it. Raises `PolicyFault`."""
    _refuse_credentials(path, text)
    try:
        _refuse_aliases(path, text)
        document = yaml.compose(text, Loader=LOADER)
        _refuse_other_shapes(path, document)
        _refuse_repeated_fields(path, document)
        content = yaml.load(text, Loader=LOADER)
        policy = Policy.model_validate(content)
    except RecursionError:
        raise _only(path, 1, "policy", "nested too deep to be a policy", "See docs/policy.md for the fields") from None
    except yaml.MarkedYAMLError as error:
        raise PolicyFault([_unparsed(path, text, error)]) from error
    except yaml.reader.ReaderError as error:
        line = text[: int(error.position)].count("\n") + 1
        what = "not YAML: a character that cannot be shown"
        raise _only(path, line, "policy", what, "Remove it, or write it as an escape in double quotes") from None
    except ValidationError as error:
        names = [str(name) for name, _ in _named(document, "workloads", "name")]
        errors = error.errors(include_url=False)
        told = [_fault(path, document, one, names) for one in errors[:SHOWN]]
        raise PolicyFault(told, len(errors) - len(told)) from error
    except ValueError as error:  # a date that does not exist is refused by YAML's own reader
        what, line = f"not YAML: {error}", _line_of_odd_date(text)
        raise _only(path, line, "policy", what, "Write a day that exists, such as 2027-03-01") from None
    _refuse_near_duplicates(path, document)
    return policy, document


def _only(path: str, line: int, field: str, what: str, fix: str) -> PolicyFault:
    return PolicyFault([Fault(path, line, field, what, fix)])


def _fault(path: str, document: yaml.Node | None, error: Any, names: list[str]) -> Fault:
    location = [part for part in error["loc"] if not (isinstance(part, str) and "[" in part)]
    what, fix = advice({**error, "loc": tuple(location)}, names)
    repeated = re.match(r"(workload|secret|preset|key) declared twice: ([^,;]+)", what)
    if repeated and not location:
        section, field = {"preset": ("presets", "slug"), "secret": ("workloads", "secret")}.get(
            repeated[1], ("workloads", "name")
        )
        found = [line for name, line in _named(document, section, field) if name == repeated[2]]
        line = found[-1] if found else line_of(document, [section])
        return Fault(path, line, section, what, f"Rename or remove the {repeated[1]} that was not meant")
    if not location and error["type"] in ("model_type", "model_attributes_type"):
        return Fault(path, 1, "policy", "is empty or no mapping of fields", "Begin with `version: 1`")
    return Fault(path, line_of(document, location), ".".join(map(str, location)) or "policy", what, fix)


def _named(document: yaml.Node | None, section: str, field: str) -> Iterator[tuple[str, int]]:
    """The scalar `field` of each entry of the section, with its line."""
    for key, entries in document.value if isinstance(document, yaml.MappingNode) else ():
        if key.value == section and isinstance(entries, yaml.SequenceNode):
            for entry in entries.value:
                for name, value in entry.value if isinstance(entry, yaml.MappingNode) else ():
                    if name.value == field and isinstance(value, yaml.ScalarNode):
                        yield value.value, value.start_mark.line + 1


_ADVICE = (
    ("another document", "A policy is one document: remove the line --- and what follows, or what goes before"),
    ("constructor for the tag", "Tags (!) are not taken; write the value out"),
    ("mapping values are not allowed", "Write a space after each colon, and put text that holds `: ` into quotes"),
    ("could not find expected ':'", "Write `field: value`, with a space after the colon"),
    ("unexpected end of stream", "Close the quotes that were opened above"),
    ("',' or '", "Close the bracket or brace that was opened above, and put commas between what is in it"),
    ("block end", "Indent fields of one thing alike, with spaces"),
    ("'-' indicator", "Indent the fields of an entry alike, two more than its dash"),
    ("expected key", "Indent fields of one thing alike, with spaces"),
    ("alphabetic or numeric", "Put a text that starts with * or & into quotes"),
)


def _unparsed(path: str, text: str, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    problem = str(error.problem)
    if here[: len(here) - len(here.lstrip())].count("\t"):
        fix = "Indent with spaces: YAML takes no tabs"
    elif "cannot start any token" in problem:
        fix = "Put a text that starts with @, % or ` into quotes"
    else:
        fix = next((fix for part, fix in _ADVICE if part in problem), "See docs/policy.md for a policy to start from")
    field = re.match(r"\s*(?:- )?([A-Za-z_]\w*)\s*:", here)
    return Fault(path, line, field[1] if field else "policy", f"not YAML: {problem}", fix)


def _line_of_odd_date(text: str) -> int:
    found = re.search(r"\b\d{4}-\d\d?-\d\d?\b", text)
    for found in re.finditer(r"\b(\d{4})-(\d\d?)-(\d\d?)\b", text):
        if not (1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 28):
            break
    return text[: found.start()].count("\n") + 1 if found else 1


def _refuse_credentials(path: str, text: str) -> None:
    """A credential in the policy would be committed, compiled into a layer and quoted by errors."""
    fix = (
        "Store it in Secrets Manager, write the secret's name here, and replace the credential: it may have been "
        "committed"
    )
    faults = [
        Fault(path, number, "policy", "looks like a credential", fix)
        for number, line in enumerate(text.splitlines(), 1)
        if redact(line) != line
    ]
    if faults:
        raise PolicyFault(faults[:SHOWN], max(0, len(faults) - SHOWN))


def _refuse_aliases(path: str, text: str) -> None:
    """Aliases of aliases make gigabytes of a few lines, and a reviewer should read what holds where it stands."""
    if "*" not in text:
        return
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _only(path, line, f"*{event.anchor}", "aliases are not taken", "Write the value out")


def _refuse_other_shapes(path: str, node: yaml.Node | None) -> None:
    if not isinstance(node, yaml.MappingNode):
        what = "is empty" if node is None else "is not a mapping of fields"
        fix = "Begin with `version: 1`; docs/policy.md has a policy to start from"
        raise _only(path, node.start_mark.line + 1 if node else 1, "policy", what, fix)


def _refuse_repeated_fields(path: str, node: yaml.Node | None) -> None:
    """YAML itself keeps the last of two equal fields and says nothing; a policy may not be so quiet."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _only(path, line, "policy", "a field's name must be a text", "Write `field: value`")
            if key.value == "<<":
                raise _only(path, line, "<<", "merge keys are not taken", "Write the fields out")
            if key.value in seen:
                fix = f"It is on line {seen[key.value]} already: keep one of the two"
                raise _only(path, line, key.value, "field given twice", fix)
            seen[key.value] = line
            _refuse_repeated_fields(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_fields(path, value)


def _refuse_near_duplicates(path: str, document: yaml.Node | None) -> None:
    """Names that people or a rotation's tag cannot tell apart: keys of two workloads, presets of two entries."""
    faults: list[Fault] = []
    for section, field in (("workloads", "key.adopts"), ("presets", "slug")):
        first: dict[str, tuple[int, str, int]] = {}
        for entry, name, line in _claimed(document, section):
            shape = " ".join(unicodedata.normalize("NFKC", lineage_name(name)).casefold().split())
            owner, other, where = first.setdefault(shape, (entry, name, line))
            if owner != entry and other != name:
                what = f"{name} is the same as {other} on line {where}, but for spelling"
                fix = "Keep one of the two, or give them names that people can tell apart"
                faults.append(Fault(path, line, f"{section}.{entry}.{field}", what, fix))
    if faults:
        raise PolicyFault(faults[:SHOWN], max(0, len(faults) - SHOWN))


def _claimed(document: yaml.Node | None, section: str) -> Iterator[tuple[int, str, int]]:
    """The names of keys or presets that each entry claims: the entry's number, the name and its line."""
    for key, entries in document.value if isinstance(document, yaml.MappingNode) else ():
        if key.value != section or not isinstance(entries, yaml.SequenceNode):
            continue
        for number, entry in enumerate(entries.value):
            fields = {name.value: value for name, value in entry.value} if isinstance(entry.value, list) else {}
            claims = [fields.get("name"), fields.get("slug")]
            if isinstance(fields.get("key"), yaml.MappingNode):
                claims += [value for name, value in fields["key"].value if name.value == "adopts"]
            for one in claims:
                if isinstance(one, yaml.ScalarNode) and one.value:
                    yield number, one.value, one.start_mark.line + 1

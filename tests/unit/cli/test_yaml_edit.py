"""Text that is inserted into a document leaves every character where it was, whatever the layout."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cli import yaml_edit
from tools.policy import LOADER

_PLAIN = ["x", "'it''s'", '"q # no comment"', "{a: 1}", "[1,\n{i}  2]", "1_000", "~", "é😀"]
_VALUES = st.sampled_from([*_PLAIN, "|\n{i}  block\n{i}  text", ">-\n{i}  folded"])
_COMMENTS = st.sampled_from(["", "  # said", "\n{i}# below", "\n\n{i}  # deeper", "\n# at the margin"])


@st.composite
def documents(draw: Any) -> str:
    """A list of mappings in some layout, between other sections."""
    before = draw(st.sampled_from(["", "# head\n", "other: {a: 1}  # b\n", "text: |\n  workloads:\n    - no\n"]))
    dash = " " * draw(st.integers(0, 6))
    gap = " " * draw(st.integers(1, 3))
    entries = ""
    for number in range(draw(st.integers(1, 3))):
        indent = f"{dash} {gap}"
        entries += f"{dash}-{gap}name: n{number}{draw(_COMMENTS).replace('{i}', indent)}\n"
        value, comment = (draw(one).replace("{i}", indent) for one in (_VALUES, _COMMENTS))
        entries += f"{indent}value: {value}{comment if '|' not in value and '>' not in value else ''}\n"
    after = draw(st.sampled_from(["", "\n\n# tail\n", "last: 1\n", "\nlast:\n- 1", "# tail"]))
    return f"{before}items:\n{entries}{after}"


@given(documents())
def test_items_are_appended_to_any_layout(text: str) -> None:
    before = yaml.load(text, Loader=LOADER)
    insertion = yaml_edit.append_items(text, yaml_edit.root_of(text), "items", ["name: new  # mine\nb: 2", "name: two"])
    after = yaml_edit.added(text, [insertion])
    assert text == after.replace(insertion.text, "", 1)
    assert yaml.load(after, Loader=LOADER) == {
        **before,
        "items": [*before["items"], {"name": "new", "b": 2}, {"name": "two"}],
    }


@given(documents())
def test_fields_are_added_to_any_layout(text: str) -> None:
    before = yaml.load(text, Loader=LOADER)
    node = yaml_edit.child(yaml_edit.root_of(text), "items", 0)
    assert isinstance(node, yaml.MappingNode)
    insertion = yaml_edit.add_fields(text, node, {"limit": 1.5, "key": {"a b": "off"}})
    after = yaml_edit.added(text, [insertion])
    assert text == after.replace(insertion.text, "", 1)
    before["items"][0] |= {"limit": 1.5, "key": {"a b": "off"}}
    assert yaml.load(after, Loader=LOADER) == before


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_SCALARS = st.none() | st.booleans() | st.integers() | st.text() | _FLOATS
_ANY = st.recursive(_SCALARS, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=6)


@given(_ANY)
def test_any_value_is_read_back_as_it_was(value: Any) -> None:
    assert yaml.load(f"a: {yaml_edit.scalar(value)}\n", Loader=LOADER) == {"a": value}


@pytest.mark.parametrize(
    "word", ["yes", "NO", "off", "null", "Null", "1.0", "0x1F", "1_000", "12:30", "2026-01-01", "~", ""]
)
def test_a_text_that_looks_like_something_else_stays_a_text(word: str) -> None:
    assert yaml.load(f"a: {yaml_edit.scalar(word)}\n", Loader=LOADER) == {"a": word}

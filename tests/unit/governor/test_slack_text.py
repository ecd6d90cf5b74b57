"""A name from elsewhere is shown as it is: it makes no line, no link, no mention, no emphasis, and hides nothing."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.slack.text import escape, link, mention


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("prod-search-agent#20261101", "prod-search-agent#20261101"),
        ("prod_search_agent", "prod_search_agent"),
        ("a\nApproved by U0LEAD", "a Approved by U0LEAD"),
        ("a\r\n\u2028\u2029\x0bb", "a     b"),
        ("<https://evil.example|Approve>", "&lt;https://evil.example|Approve&gt;"),
        ("<!channel> <@U0LEAD> & co", "&lt;!channel&gt; &lt;@U0LEAD&gt; &amp; co"),
        ("*Approved* ~no~ `x` _it_", "∗Approved∗ ∼no∼ 'x' ˍitˍ"),
        (":white_check_mark: done", "∶white_check_mark: done"),
        ("key:one 10:30", "key:one 10:30"),
        ("abc\u202edcba\u200b", "abc�dcba�"),
        ("prod-se\u0430rch", "prod-se[U+0430]rch"),
        ("\u0441\u043e\u0440\u0430", "[U+0441][U+043E][U+0440][U+0430]"),
        ("опытный-ключ", "опытный-ключ"),
        ("\uff41dmin", "[U+FF41]dmin"),
        ("Größe-für-Öl", "Größe-für-Öl"),
        ("検索エージェント", "検索エージェント"),
    ],
)
def test_a_name_is_shown_as_it_is(name: str, shown: str) -> None:
    assert escape(name) == shown


@given(st.text(max_size=60))
def test_no_text_leaves_its_line_or_becomes_markup(text: str) -> None:
    shown = escape(text)
    assert len(shown.splitlines()) <= 1
    assert not set("<>*~`") & set(shown)
    assert not re.search(r"&(?!amp;|lt;|gt;)", shown)
    assert not re.search(r"(?<![^\W_])_|_(?![^\W_])", shown)
    assert not re.search(r":[\w+\-]+:", shown)
    assert not [one for one in shown if unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"}]


@given(st.text(max_size=30))
def test_only_a_users_id_notifies_anybody(text: str) -> None:
    assert ("<@" in mention(text)) == bool(re.fullmatch(r"[UW][A-Z0-9]{2,20}", text))
    assert mention("U0LEAD") == "<@U0LEAD>"


def test_an_address_that_would_end_the_link_is_shown_and_not_linked() -> None:
    assert (
        link("https://x.slack.com/files/F1?a=1&b=2", "The file")
        == "<https://x.slack.com/files/F1?a=1&amp;b=2|The file>"
    )
    assert link("https://x|Approve> <@U0LEAD", "The file") == "The file: https://x|Approve&gt; &lt;@U0LEAD"
    assert link("javascript:alert(1)", "The file") == "The file: javascript:alert(1)"

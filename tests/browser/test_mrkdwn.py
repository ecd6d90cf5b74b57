"""Slack's mrkdwn and blocks as the page draws them, by the page's own modules in the browser."""

import pytest

from tests.browser.conftest import Seen

DRAWN = """async (text) => {
  const { mrkdwn } = await import("/mrkdwn.js");
  const box = document.createElement("div");
  box.append(...mrkdwn(text, { U0LEAD: "Lena" }));
  return box.innerHTML;
}"""


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* and _slanted_ and ~gone~", "<strong>bold</strong> and <em>slanted</em> and <s>gone</s>"),
        ("`a *b* c`", "<code>a *b* c</code>"),
        ("snake_case_name stays", "snake_case_name stays"),
        ("5 * 3 * 2", "5 * 3 * 2"),
        ("<@U0LEAD> <@U0NOBODY>", '<span class="mention">@Lena</span> <span class="mention">@U0NOBODY</span>'),
        ("<https://openrouter.ai/k|a key>", '<span class="link" title="https://openrouter.ai/k">a key</span>'),
        ("a &lt;b&gt; &amp;lt;", "a &lt;b&gt; &amp;lt;"),
        ("<!date^1769655780^{date_short} {time}|29 Jan>", "<time>Thu 29 Jan, 03:03</time>"),
    ],
)
def test_mrkdwn_reads_as_in_slack(seen: Seen, text: str, html: str) -> None:
    assert seen.page.evaluate(DRAWN, text) == f'<div class="said">{html}</div>'


def test_a_quote_and_a_block_of_code_are_blocks(seen: Seen) -> None:
    assert seen.page.evaluate(DRAWN, "&gt; so\n&gt; it is\nyes") == (
        '<blockquote>so\nit is</blockquote><div class="said">yes</div>'
    )
    assert "<pre>a\nb</pre>" in seen.page.evaluate(DRAWN, "```a\nb```")


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>", "&lt;script&gt;alert(1)&lt;/script&gt;", "<javascript:alert(1)|click>",
        "<https://x/\"onclick=alert(1)|a>", "*<svg onload=alert(1)>*", "`</code><script>alert(1)</script>`",
    ],
)  # fmt: skip
def test_what_people_write_is_never_markup(seen: Seen, text: str) -> None:
    alive = """async (text) => {
      const { mrkdwn } = await import("/mrkdwn.js");
      const box = document.createElement("div");
      box.append(...mrkdwn(text, {}));
      const all = [...box.querySelectorAll("*")];
      return all.some((one) => ["IMG", "SCRIPT", "A", "svg"].includes(one.tagName)
        || [...one.attributes].some((each) => each.name.startsWith("on") || each.name === "href"));
    }"""
    assert seen.page.evaluate(alive, text) is False

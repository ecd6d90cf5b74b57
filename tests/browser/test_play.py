"""What a visitor of `make play` sees and does. The tests share one sandbox, and are run in this order."""

import re

import pytest

from sandbox.play import tour
from sandbox.scenario.organization import EMBEDDINGS, REPORTS, SEARCH
from tests.browser.conftest import Seen

SHOWS = (
    ("money", "to the cent"),
    ("messages", "was burning"),
    ("messages", "You asked for this yourself"),
    ("messages", "is restored: @Lena lifted the cause runaway"),
    ("lineages", "quarantined"),
    ("chains", "disabled by Governor"),
    ("presets", "Do as you please."),
    ("timeline", "Key Disabled"),
)
"""Of each step of the tour, where it shows and what is read there."""
TOLD = (
    r"read all 12 keys 5 times. Slack stayed quiet\.",
    r"disabled \d+ minutes after the loop began\. The loop spent \$\d\d\.\d\d\.",
    r"still disabled",
    r"answered 401 before, and 200 now",
    r"The old key is answered 401, the new one 200",
    r"The second key of our own serves",
    r"Samir clicked Revert\. Production serves version 3: the approved text again",
    r"disabled all the same\. Once Slack was back, 1 thread told of it\. No event was lost",
)
IN_VIEW = """one => {
  const box = document.getElementById("messages").getBoundingClientRect(), at = one.getBoundingClientRect();
  return at.top >= box.top && at.bottom <= box.bottom;
}"""
SPEND = f"Spend of {SEARCH} by the minute"
"""How the alternative text of the picture of the tour's incident begins."""
LOOKS = [{"width": width, "scheme": scheme} for width in (1280, 390) for scheme in ("light", "dark")]


def test_the_tour_does_what_it_says_and_shows_it(seen: Seen) -> None:
    for number, (step, told, (part, words)) in enumerate(zip(tour.STEPS, TOLD, SHOWS, strict=True), start=1):
        outcome = seen.do_step(number)
        assert re.search(told, outcome), outcome
        assert words in seen.text(part)
        if step.look == "slack" and not step.picture:
            last = seen.page.locator(f"#messages .text:has-text({words!r})").last
            assert last.evaluate(IN_VIEW), "what was said last is in view"
        assert seen.page.locator(".pointed").get_attribute("id") == step.look
        assert seen.page.locator(".pointed").evaluate("one => one.getBoundingClientRect().top < innerHeight")
        if step.picture:
            picture = seen.page.get_by_alt_text(re.compile(f"^{step.picture}"))
            assert seen.drawn(picture) == (1200, 810)
            assert picture.evaluate(IN_VIEW), "“Show me where” is where the picture is"
        seen.keep(f"play-{number}")
    rows = {row.split("\n")[0]: row for row in seen.page.locator("#key-rows tr").all_inner_texts()}
    assert "disabled" in rows[EMBEDDINGS]
    assert "enabled" in rows[SEARCH]
    assert "disabled" in rows[REPORTS]


@pytest.mark.parametrize("seen", LOOKS, indirect=True, ids=lambda look: f"{look['width']} {look['scheme']}")
def test_everybody_can_read_it(seen: Seen) -> None:
    assert seen.too_wide() <= 0
    assert seen.serious() == []
    seen.keep(f"play-{seen.look()}")


@pytest.mark.parametrize("seen", LOOKS, indirect=True, ids=lambda look: f"{look['width']} {look['scheme']}")
def test_a_picture_is_enlarged_and_said_in_words(seen: Seen) -> None:
    page = seen.page
    small = page.locator("#messages img").and_(page.get_by_alt_text(re.compile(f"^{SPEND}")))
    assert seen.drawn(small) == (1200, 810)
    before = small.evaluate("one => one.getBoundingClientRect().width")
    button = page.locator("#messages figure", has=page.get_by_alt_text(re.compile(f"^{SPEND}"))).get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    large = page.locator("#dialog img")
    assert seen.drawn(large) == (1200, 810)
    assert large.evaluate("one => one.getBoundingClientRect().width") > 1.5 * before
    assert seen.text("dialog").count(SPEND) == 1
    assert "had it gone on" in seen.text("dialog").lower()
    assert (seen.too_wide() <= 0, seen.serious()) == (True, [])
    page.keyboard.press("Escape")
    assert page.locator("#dialog[open]").count() == 0
    assert button.evaluate("one => one === document.activeElement"), "the focus is back where it was"
    small.click()
    assert large.is_visible()


@pytest.mark.parametrize("seen", LOOKS, indirect=True, ids=lambda look: f"{look['width']} {look['scheme']}")
def test_everybody_can_read_their_home(seen: Seen) -> None:
    page = seen.page
    page.locator("#person").select_option("U0SEARCH")
    page.locator("#tab-channel").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#home").is_hidden(), "an arrow moves, and Enter opens"
    page.keyboard.press("Enter")
    page.locator("#view").get_by_text(f"{EMBEDDINGS} is disabled for runaway").wait_for()
    assert "Yours" in seen.text("view")
    assert page.locator("#channel").is_hidden()
    assert (seen.too_wide() <= 0, seen.serious()) == (True, [])
    page.locator("#person").select_option("U0GUEST")
    page.locator("#view").get_by_text("you are a guest").wait_for()
    assert EMBEDDINGS not in seen.text("view"), "a guest sees nothing of the organization"
    page.get_by_role("tab", name="# governor").click()
    assert page.locator("#messages").is_visible()


def test_the_keyboard_alone_will_do(seen: Seen) -> None:
    press, page = seen.page.keyboard.press, seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to Slack"
    page.locator("#person").select_option("U0SEC")
    page.locator("#command").focus()
    page.keyboard.type("sta")
    press("ArrowDown")
    assert page.locator("#completions [aria-selected=true]").inner_text().startswith("status")
    press("Enter")
    assert page.locator("#command").input_value() == "status"
    press("Enter")
    page.get_by_text("Waiting for a decision").first.wait_for()
    assert "Only visible to you" in seen.text("messages")
    event = page.locator("#events button").first
    event.focus()
    press("Enter")
    page.locator("#dialog[open]").wait_for()
    assert "Rows behind it" in seen.text("dialog")
    assert "Ledger: published#" in seen.text("dialog")
    press("Escape")
    assert page.locator("#dialog[open]").count() == 0
    assert event.evaluate("one => one === document.activeElement"), "the focus is back where it was"
    page.locator("[data-time=x60]").focus()
    press("Enter")
    page.locator("[data-time=x60][aria-pressed=true]").wait_for()
    page.locator("[data-time=paused]").focus()
    press("Space")
    seen.at_rest()


def test_a_button_asks_first_and_a_modal_asks_why(seen: Seen) -> None:
    page = seen.page
    page.locator("#person").select_option("U0INTERN")
    page.locator("#messages").get_by_role("button", name="Restore key").last.click()
    page.locator("#dialog").get_by_role("button").last.click()
    page.locator("#messages").get_by_role("button", name="Reject").wait_for()
    page.locator("#person").select_option("U0LEAD")
    page.get_by_role("tab", name="Home").click()
    page.locator("#view").get_by_role("button", name="Approve").wait_for()
    assert "Waiting for a decision · @Ines asks to" in seen.text("view")
    seen.keep("play-home")
    page.get_by_role("tab", name="# governor").click()
    page.locator("#person").select_option("U0SEC")
    page.locator("#messages").get_by_role("button", name="Reject").click()
    page.get_by_label("Why?").fill("Not before the agent is mended.")
    seen.keep("play-modal")
    page.locator("#dialog").get_by_role("button", name="Reject").click()
    page.locator("#messages").get_by_text("Not before the agent is mended.").first.wait_for()
    assert "disabled" in page.locator("#key-rows tr", has_text=EMBEDDINGS).inner_text()


def test_a_key_is_restored_on_the_home_with_the_keyboard(seen: Seen) -> None:
    press, page = seen.page.keyboard.press, seen.page
    page.locator("#person").select_option("U0LEAD")
    whispers = page.locator("#messages .only").count()
    page.get_by_role("tab", name="Home").focus()
    press("Enter")
    page.locator("#view").get_by_text(f"{EMBEDDINGS} is disabled").wait_for()
    assert "disabled" in page.locator("#key-rows tr", has_text=EMBEDDINGS).inner_text()
    page.locator("#view").get_by_role("button", name="Restore key").first.focus()
    press("Enter")
    assert f"Lift the cause runaway of {EMBEDDINGS}" in seen.text("dialog")
    page.locator("#dialog").get_by_role("button", name="Restore key").focus()
    press("Enter")
    page.locator("#key-rows tr", has_text=EMBEDDINGS).get_by_text("enabled").wait_for()
    page.locator("#view").get_by_text(f"{EMBEDDINGS} is disabled").wait_for(state="detached")
    page.locator("#direct").get_by_text("It is being done").wait_for()
    assert page.locator("#view").evaluate("one => one.contains(document.activeElement)"), "the keyboard goes on here"
    assert seen.serious() == []
    page.get_by_role("tab", name="# governor").click()
    assert page.locator("#messages .only").count() == whispers, "the answer is in no channel"


def test_trouble_of_every_kind_is_made_and_ended(seen: Seen) -> None:
    page = seen.page
    kinds = page.locator("#trouble-name option").evaluate_all("all => all.map((one) => one.value)")
    assert len(kinds) == 10
    for kind in kinds:
        page.locator("#trouble-name").select_option(kind)
        page.locator("#troubles").get_by_role("button", name="Make trouble").click()
        seen.at_rest()
        assert "error" not in (page.locator("#status").get_attribute("class") or ""), seen.text("status")
    while page.locator("#standing button").count():
        page.locator("#standing button").first.click()
        seen.at_rest()
    assert page.locator("#standing li").count() == 0

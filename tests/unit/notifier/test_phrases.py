from datetime import UTC, datetime, timedelta

import pytest

from notifier.mail import plain
from notifier.phrases import cents, key_link, local, money, share, span, sparkline, utc

MOMENT = datetime(2026, 11, 21, 8, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0, "$0"), (0.0004, "less than $0.001"), (0.042, "$0.042"), (0.4, "$0.40"), (2.4, "$2.40"), (3, "$3"),
     (31.4, "$31"), (498, "$498"), (4980.2, "$4,980"), (-31.4, "-$31")],
)  # fmt: skip
def test_money_shows_the_digits_that_matter(usd: float, text: str) -> None:
    assert money(usd) == text


def test_a_limit_is_shown_to_the_cent() -> None:
    assert (cents(199.6), cents(200), cents(12345.678)) == ("$199.60", "$200", "$12,345.68")
    assert (share(0.8), share(1.012)) == ("80 %", "101 %")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (40, "40 s"), (300, "5 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (86_400, "1 d"),
     (187_200, "2 d 4 h")],
)  # fmt: skip
def test_a_duration_shows_its_two_largest_units(seconds: int, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_the_sparkline_scales_to_its_top_and_shows_no_spend_as_the_empty_bar() -> None:
    assert sparkline([0, 0.01, 4, 8]) == "▁▂▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


def test_a_moment_is_utc_in_text_and_local_in_slack() -> None:
    assert utc(MOMENT) == "21 Nov 08:03 UTC"
    assert local(MOMENT) == f"<!date^{int(MOMENT.timestamp())}^{{date_short_pretty}} {{time}}|21 Nov 08:03 UTC>"
    assert plain(local(MOMENT)) == "21 Nov 08:03 UTC"


def test_a_key_is_linked_by_its_hash_and_shows_only_the_start_of_it() -> None:
    link = key_link("ab" * 32, "a<b")
    assert link == f"<https://openrouter.ai/workspaces/default/keys/{'ab' * 32}|a&lt;b> (abababab…)"

"""Who made a version, how many must approve it, and what their approvals lack."""

from typing import Any

import pytest

from governor.approvals.authorship import Author, approvals_needed, author_of, missing, who_may_approve
from governor.policy import Policy

POLICY: dict[str, Any] = {
    "version": 1,
    "people": {"U0DEV": "user_fake_dev"},
    "presets": [
        {
            "slug": "a", "from": "s", "to": "p", "from_secret": "presets/s", "to_secret": "presets/p",
            "approvers": ["U0LEAD", "U0SEC", "U0DEV"],
        }
    ],
}  # fmt: skip
BARRED = {"U0ASKER": "asked for it", "U0DEV": "saved the version"}


def _policy(**changes: Any) -> Policy:
    return Policy.model_validate({**POLICY, "presets": [{**POLICY["presets"][0], **changes}]})


@pytest.mark.parametrize(
    ("creator", "slack", "unknown"),
    [
        ("user_fake_dev", "U0DEV", ""),
        ("user_fake_other", "", "the policy's people does not say who user_fake_other is in Slack"),
        (None, "", "OpenRouter does not say who saved the version"),
        ("", "", "OpenRouter does not say who saved the version"),
        (
            "<!channel>\nhi",
            "",
            "the policy's people does not say who the user of an id that cannot be shown is in Slack",
        ),
    ],
)
def test_the_author_is_whom_openrouter_and_the_policy_name(creator: str | None, slack: str, unknown: str) -> None:
    assert author_of(_policy(), creator) == Author(slack, unknown)


@pytest.mark.parametrize(
    ("fields", "known", "unknown"),
    [
        ({}, 1, 2),
        ({"approvals_if_author_unknown": 1}, 1, 1),
        ({"approvals": 3}, 3, 3),
        ({"approvals": 2, "approvals_if_author_unknown": 1}, 2, 2),
    ],
)
def test_an_unknown_author_raises_the_number_and_never_lowers_it(
    fields: dict[str, int], known: int, unknown: int
) -> None:
    (preset,) = _policy(**fields).presets
    assert approvals_needed(preset, Author("U0DEV")) == known
    assert approvals_needed(preset, Author(unknown="nobody knows")) == unknown


@pytest.mark.parametrize(
    ("needed", "approved_by", "lacking"),
    [
        (1, ["U0LEAD"], ""),
        (2, ["U0LEAD", "U0SEC"], ""),
        (1, [], "1 approval is needed, and 0 counted"),
        (2, ["U0LEAD"], "2 approvals are needed, and 1 counted (U0LEAD)"),
        (2, ["U0LEAD", "U0LEAD"], "2 approvals are needed, and 1 counted (U0LEAD)"),
        (1, ["U0LEAD", "U0DEV"], "U0DEV saved the version, and so may not approve it"),
        (1, ["U0DEV"], "U0DEV saved the version, and so may not approve it"),
        (1, ["U0X"], "U0X is not among the approvers that the policy names, and so may not approve it"),
    ],
)
def test_what_is_missing_is_named(needed: int, approved_by: list[str], lacking: str) -> None:
    (preset,) = _policy().presets
    assert missing(preset, needed, approved_by, BARRED) == lacking


def test_who_is_barred_is_left_out_of_those_who_may_approve() -> None:
    (preset,) = _policy().presets
    assert who_may_approve(preset, BARRED) == ("U0LEAD", "U0SEC")

"""Reviews the account every week, or when somebody asks: what is wrong with it, and what the money did. Every hour it
looks who left the organization."""

import functools
import os
from typing import Any

from account_review.leaving import watch
from account_review.service import AccountReview
from account_review.settings import ReviewSettings, Tick, received
from account_review.wiring import review_over
from governor.clock import seconds_left
from governor.events.redelivery import redelivered
from governor.policy import Policy

MARGIN_SECONDS = 30.0
"""Kept back from OpenRouter's calls, to write down and tell what was found."""


@functools.cache
def build() -> AccountReview:
    """The review over AWS, OpenRouter and Slack, made at the first event. Raises `SettingsError`."""
    return review_over(ReviewSettings.read(os.environ), Policy.load())


@redelivered
def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A schedule or a request in; raises what Lambda is to try again."""
    asked, review = received(event), build()
    remaining = seconds_left(context, MARGIN_SECONDS)
    if isinstance(asked, Tick):
        return {"told": watch(review.ports, asked.at, remaining)}
    found = review.act(asked, remaining).findings
    return {"run": asked.id, "open": len(found.open), "new": len(found.new)}

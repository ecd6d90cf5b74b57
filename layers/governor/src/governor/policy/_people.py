"""Who a member of the OpenRouter organization is in Slack."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from governor.policy._parts import SlackUser

OpenRouterUser = Annotated[str, Field(pattern=r"^user_[A-Za-z0-9_]{1,95}$")]
"""The form that every id of a user has in OpenRouter's API documents, for example a version's `creator_id`
(https://openrouter.ai/docs/client-sdks/typescript/models/presetdesignatedversion)."""


def _each_once(people: Mapping[str, str]) -> Mapping[str, str]:
    """One OpenRouter account under two Slack users would let either pass for the other."""
    first: dict[str, str] = {}
    faults: list[InitErrorDetails] = []
    for slack, openrouter in people.items():
        if openrouter in first:
            why = f"{openrouter} is {first[openrouter]} already; each OpenRouter user is one Slack user"
            faults.append(
                {"type": PydanticCustomError("repeated", "{why}", {"why": why}), "loc": (slack,), "input": ""}
            )
        first.setdefault(openrouter, slack)
    if faults:
        raise ValidationError.from_exception_data("people", faults)
    return people


People = Annotated[dict[SlackUser, OpenRouterUser], AfterValidator(_each_once)]
"""OpenRouter's user id by Slack user."""

"""The weekly review: what the account is held against, what no API tells, and what people have accepted."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from governor.policy._parts import Part, SlackUser

Text = Annotated[str, Field(min_length=1, max_length=500)]
ModelGroup = Literal["anthropic", "openai", "google", "xai", "other"]
"""OpenRouter's groups of models for zero data retention: the guardrail's fields `enforce_zdr_<group>`."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


class Tiers(Part):
    """The organization's catalogue of models: which may be relied on, which may stand in, which are tried.

    A workspace's allowlist should name `certified` and `fallback` models only. Without any nothing is compared.
    """

    certified: tuple[Text, ...] = ()
    fallback: tuple[Text, ...] = ()
    experimental: tuple[Text, ...] = ()


class Declared(Part):
    """What stands in OpenRouter's settings and no API tells: written down by a person who has looked.

    `management_key_scope`: of the key that Governor uses. What is left out is a finding.
    """

    auto_top_up: bool | None = None
    management_key_scope: Literal["organization", "workspace"] | None = None


class Accepted(Part):
    """A finding that somebody entitled has accepted: "we know", until the end of that day, with a reason.

    `rule`, `subject`: as the review shows them; `*` for every subject of the rule. `by`: one of `approvals.approvers`.
    """

    rule: Text
    subject: Text
    until: date
    by: SlackUser
    reason: Text


class Review(Part):
    """`key_name`: what a key's name looks like, before its rotation tag (house rule: environment, owner, workload).

    `zdr`: by workspace, the groups of models that must be served under zero data retention. `governor_usd_per_month`:
    what this stack costs, from the AWS bill or docs/cost.md, for the line on what Governor saved and cost.
    """

    key_name: Annotated[str, Field(max_length=200), AfterValidator(_pattern)] = r"[a-z0-9]+(-[a-z0-9]+){2,}"
    zdr: Mapping[str, tuple[ModelGroup, ...]] = Field(default_factory=dict)
    tiers: Tiers = Tiers()
    declared: Declared = Declared()
    governor_usd_per_month: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    accepted: tuple[Accepted, ...] = ()

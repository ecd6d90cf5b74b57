"""Presets that are promoted from one workspace to another."""

from typing import Annotated, Any

from pydantic import Field

from governor.policy._parts import Part, SlackUser


class Preset(Part):
    slug: str
    from_workspace: Annotated[str, Field(alias="from")]
    to_workspace: Annotated[str, Field(alias="to")]
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    approvals: Annotated[int, Field(ge=1)] = 1
    checks: tuple[dict[str, Any], ...] = ()

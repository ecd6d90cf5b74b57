"""Presets that are promoted from one workspace to another, and what a candidate is held against before."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from governor.policy._parts import Part, SecretName, SlackUser

RUNS_A_DAY = 10
"""Runs whose whole purse a day holds where the policy says nothing."""


class GoldenCase(Part):
    """A prompt with what its answer must be. `usd`, `seconds`: the most that it may cost and take."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    prompt: Annotated[str, Field(min_length=1, repr=False)]
    contains: tuple[str, ...] = ()
    regex: str | None = None
    json_schema: dict[str, Any] | None = None
    refusal: bool | None = None
    usd: Annotated[float, Field(gt=0)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _asserts_something_that_can_be_asserted(self) -> Self:
        wanted = (self.contains or None, self.regex, self.json_schema, self.refusal, self.usd, self.seconds)
        if all(one is None for one in wanted):
            raise ValueError(f"golden case {self.name}: asserts nothing; a check that cannot fail is none")
        try:
            re.compile(self.regex or "")
        except re.error as error:
            raise ValueError(f"golden case {self.name}: regex: {error}") from None
        _stays_within(self.name, self.json_schema)
        return self


def _stays_within(case: str, schema: Any) -> None:
    """A reference that leaves the schema would be opened: an address, or a file of the machine that checks."""
    if isinstance(schema, dict):
        for name in ("$ref", "$id", "id", "$dynamicRef", "$recursiveRef"):
            where = schema.get(name)
            if isinstance(where, str) and not where.startswith("#"):
                raise ValueError(f"golden case {case}: json_schema: {name} must start with # and stay in the schema")
        for value in schema.values():
            _stays_within(case, value)
    elif isinstance(schema, list):
        for value in schema:
            _stays_within(case, value)


class Golden(Part):
    """Cases that are run through the candidate, and through production beside it. `usd`: the most a run may cost;
    `usd_per_day`: the most that all runs of a UTC day may, ten runs where nothing is said."""

    usd: Annotated[float, Field(gt=0, le=100)]
    usd_per_day: Annotated[float, Field(gt=0, le=1000)] | None = None
    max_tokens: Annotated[int, Field(ge=16, le=4096)] = 256
    cases: Annotated[tuple[GoldenCase, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _cases_have_names_of_their_own(self) -> Self:
        if self.usd_per_day is not None and self.usd_per_day < self.usd:
            raise ValueError("usd_per_day: less than usd, so that no run could begin")
        names = [case.name for case in self.cases]
        if len(set(names)) < len(names):
            raise ValueError("cases: each needs a name of its own")
        return self

    @property
    def daily_usd(self) -> float:
        """The most that all runs of a UTC day may cost."""
        return self.usd_per_day if self.usd_per_day is not None else RUNS_A_DAY * self.usd


class Checks(Part):
    """What a candidate is held against beside the checks that are always made. `certified` empty: any model."""

    certified: tuple[str, ...] = ()
    golden: Golden | None = None


class Smoke(Part):
    """The request that a promoted preset must answer. 16 tokens is the least that every model takes."""

    prompt: Annotated[str, Field(min_length=1, repr=False)] = "Are you there?"
    max_tokens: Annotated[int, Field(ge=16, le=256)] = 16


class Preset(Part):
    """A preset of two workspaces: edited in `from`, served in `to`, and promoted by a human's yes.

    `from_secret`, `to_secret`: of the inference key of each. `watch`: a new version in `from` is asked for by itself.
    `prompts`: whether Slack may be shown what changed in them. `approvals_if_author_unknown`: how many must approve a
    version whose author nobody knows, so that its author is not alone in it: one of two is somebody else.
    """

    slug: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    from_workspace: Annotated[str, Field(alias="from")]
    to_workspace: Annotated[str, Field(alias="to")]
    from_secret: SecretName
    to_secret: SecretName
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    approvals: Annotated[int, Field(ge=1)] = 1
    approvals_if_author_unknown: Annotated[int, Field(ge=1)] = 2
    watch: bool = False
    prompts: Literal["private", "shown"] = "private"
    checks: Checks = Checks()
    smoke: Smoke = Smoke()

    @model_validator(mode="after")
    def _can_be_promoted(self) -> Self:
        if self.from_secret == self.to_secret:
            raise ValueError("to_secret: must not be from_secret; the key's workspace decides which preset is meant")
        if self.approvals > len(set(self.approvers)):
            raise ValueError("approvals: more than there are approvers")
        named = len(set(self.approvers))
        if self.approvals_if_author_unknown > named:
            alone = "; its author may then be the only one who approves it" if named == 1 else ""
            raise ValueError(
                f"preset {self.slug}: a version whose author is unknown needs {self.approvals_if_author_unknown} "
                f"approvals, but approvers names only {named}. Name another approver, or set "
                f"approvals_if_author_unknown: {named}{alone}"
            )
        return self

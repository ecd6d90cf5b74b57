"""The organization's policy: what Governor may do, in limits a human set. Read-only at run time.

Written as `layers/policy/policy.yaml`, checked and compiled to JSON at build (`tools/policy.py`, which names
the line at fault), checked again here at cold start.
"""

import importlib.resources
import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: Any) -> Any:
    """`60d`, `24h`, `15m` or `2w` as a timedelta; raises `ValueError` with the forms that are understood."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([1-9][0-9]*)([mhdw])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"not a duration: {value!r}; write a number and one of m, h, d, w, for example 24h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _format_duration(value: timedelta) -> str:
    return f"{int(value.total_seconds() // 60)}m"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=Annotated[str, Field(pattern=r"^[1-9][0-9]*[mhdw]$")]),
    PlainSerializer(_format_duration, return_type=str),
]
SlackUser = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,20}$")]
SlackChannel = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,20}$")]
Share = Annotated[float, Field(gt=0, le=10)]
"""A share of a limit: 0.8 is 80 %. Above 1 it alerts past a limit that does not block."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ManagementKey(_Part):
    """When people are told to replace the management key, which no API replaces."""

    max_age: Duration = timedelta(days=180)
    before_expiry: Duration = timedelta(days=21)


class Account(_Part):
    base_url: Annotated[str, Field(pattern=r"^(https://\S+|http://localhost:\S+)[^/]$")] = (
        "https://openrouter.ai/api/v1"
    )
    management_key: ManagementKey = ManagementKey()


class Budget(_Part):
    """Shares of a limit at which to alert, and the share at which to disable (none: never)."""

    alert_at: tuple[Share, ...] = (0.5, 0.8, 1.0)
    disable_at: Share | None = None


class Runaway(_Part):
    """`alert` does all but the PATCH: a dry run."""

    mode: Literal["off", "alert", "disable"] = "alert"


class Exposed(_Part):
    """What to do when somebody reports the key as leaked."""

    mode: Literal["alert", "disable"] = "alert"


class Limits(_Part):
    """How a key is watched, declared or not."""

    budget: Budget = Budget()
    runaway: Runaway = Runaway()
    exposed: Exposed = Exposed()


class Owner(_Part):
    slack: SlackUser


class Key(_Part):
    """The key as it should be; `limit_usd` is per `limit_reset` (OpenRouter's periods, UTC).

    `adopts`: the name of a key made by hand, which is the workload's first. `drift`: whether a live key that differs is
    only told of, or set back as well.
    """

    limit_usd: Annotated[float, Field(gt=0)] | None = None
    limit_reset: Literal["daily", "weekly", "monthly"] | None = None
    include_byok_in_limit: bool = False
    guardrail: str | None = None
    expires_in: Duration | None = None
    adopts: str | None = None
    drift: Literal["alert", "repair"] = "alert"


class Rotation(_Part):
    """When the key is replaced. `overlap`: both keys work at least this long, and until the old one was quiet for
    `quiet`, but no longer than `drain_deadline` past the overlap. `before_expiry`: an expiry nearer than this is due.
    """

    every: Duration
    overlap: Duration = timedelta(hours=24)
    quiet: Duration = timedelta(hours=1)
    drain_deadline: Duration = timedelta(days=7)
    quarantine: Duration = timedelta(days=7)
    before_expiry: Duration = timedelta(days=14)

    @model_validator(mode="after")
    def _one_ends_before_the_next(self) -> Self:
        if self.every <= self.overlap + self.drain_deadline:
            raise ValueError("every: must be longer than overlap and drain_deadline together, or rotations pile up")
        if self.quiet > self.overlap:
            raise ValueError("quiet: must not be longer than overlap")
        return self


class Copies(_Part):
    """Where the secret is kept besides: a Parameter Store SecureString, and replicas in other regions."""

    parameter: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]{1,1010}$")] | None = None
    regions: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")], ...] = ()


class Workload(_Part):
    """One autonomous behaviour, its lineage of keys and its one secret. Tier 0 is never disabled without a human."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    workspace: str
    owner: Owner
    tier: Annotated[int, Field(ge=0, le=3)] = 1
    key: Key = Key()
    secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,512}$")] | None = None
    copies: Copies | None = None
    rotation: Rotation | None = None
    budget: Budget | None = None
    runaway: Runaway | None = None
    exposed: Exposed | None = None

    @model_validator(mode="after")
    def _rotation_can_work(self) -> Self:
        if self.rotation and not self.secret:
            raise ValueError("rotation: needs `secret`, where the new key is put")
        if self.copies and not self.secret:
            raise ValueError("copies: needs `secret`, which is copied")
        life = self.key.expires_in
        if self.rotation and life and life <= self.rotation.every:
            raise ValueError("key.expires_in: must be longer than rotation.every, or the key expires first")
        return self


class Expect(_Part):
    prioritized: Annotated[int, Field(ge=0)] = 1
    fallback: Annotated[int, Field(ge=0)] = 0


class Probe(_Part):
    """A small request that proves a credential. `secret`: of the workload whose inference key sends it."""

    model: str
    secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,512}$")] | None = None


class Byok(_Part):
    """A decision to bring our own provider key: what must stand, why, whose it is and when it may go.

    `credential`: its name or id, where the workspace has several of the provider. `secret`: whose text is its key.
    """

    workspace: str
    provider: str
    credential: str | None = None
    secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,512}$")] | None = None
    expect: Expect = Expect()
    probe: Probe | None = None
    reason: str
    owner: str
    exit: str


class Preset(_Part):
    slug: str
    from_workspace: Annotated[str, Field(alias="from")]
    to_workspace: Annotated[str, Field(alias="to")]
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    approvals: Annotated[int, Field(ge=1)] = 1
    checks: tuple[dict[str, Any], ...] = ()


class Approvals(_Part):
    channel: SlackChannel
    approvers: Annotated[tuple[SlackUser, ...], Field(min_length=1)]
    expire_after: Duration = timedelta(hours=24)


class Alerts(_Part):
    """Where Governor speaks. Without it, alerts go to the e-mail topic only."""

    channel: SlackChannel


class Freeze(_Part):
    """A time in which no rotation is planned; one that a person asks for, or a leak, goes on."""

    start: Annotated[AwareDatetime, Field(alias="from")]
    end: Annotated[AwareDatetime, Field(alias="to")]
    reason: str


class Rotations(_Part):
    """Rotations of the account together: how many run at once, and when none is planned."""

    at_once: Annotated[int, Field(ge=1, le=100)] = 5
    freezes: tuple[Freeze, ...] = ()


class Policy(_Part):
    """The whole policy. Use `for_subject` to learn what holds for a workload or an undeclared key."""

    version: Literal[1]
    account: Account = Account()
    alerts: Alerts | None = None
    defaults: Limits = Limits()
    workloads: tuple[Workload, ...] = ()
    rotations: Rotations = Rotations()
    byok: tuple[Byok, ...] = ()
    presets: tuple[Preset, ...] = ()
    approvals: Approvals | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _refuse_repeats("workload", (workload.name for workload in self.workloads))
        _refuse_repeats("secret", (workload.secret for workload in self.workloads if workload.secret))
        _refuse_repeats("preset", (preset.slug for preset in self.presets))
        adopted = [workload.key.adopts for workload in self.workloads if workload.key.adopts != workload.name]
        _refuse_repeats("key", (*filter(None, adopted), *(workload.name for workload in self.workloads)))
        return self

    @classmethod
    def load(cls) -> Self:
        """The policy in the policy layer. Raises pydantic's `ValidationError` when it does not hold."""
        text = importlib.resources.files("governor_policy").joinpath("policy.json").read_text("utf-8")
        return cls.model_validate_json(text)

    def workload(self, name: str) -> Workload | None:
        """The workload declared under this name."""
        return next((workload for workload in self.workloads if workload.name == name), None)

    def lineage_of(self, key_name: str) -> str:
        """The name of the lineage that a key is of: the workload that adopts it, or else what its name bears."""
        return self._adopted.get(key_name) or lineage_name(key_name)

    @cached_property
    def _adopted(self) -> dict[str, str]:
        return {workload.key.adopts: workload.name for workload in self.workloads if workload.key.adopts}

    def for_subject(self, subject: str) -> Limits:
        """What holds for a subject: its own settings where it declares them, the defaults elsewhere."""
        workload = self.workload(subject)
        if workload is None:
            return self.defaults
        return Limits(
            budget=workload.budget or self.defaults.budget,
            runaway=workload.runaway or self.defaults.runaway,
            exposed=workload.exposed or self.defaults.exposed,
        )


ROTATION_TAG = "#"
"""Separates a workload's name from the rotation tag in the name of one of its keys."""


def lineage_name(key_name: str) -> str:
    """The workload's name that a key's name bears: what stands before the rotation tag."""
    return key_name.partition(ROTATION_TAG)[0]


def _refuse_repeats(kind: str, names: Iterable[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ValueError(f"{kind} declared twice: {', '.join(repeated)}; each name must be unique")

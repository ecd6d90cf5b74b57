"""Workloads: their keys, secrets and rotations, and how they are watched."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from governor.policy._expected import ExpectedSpend, TimeZone
from governor.policy._parts import Duration, Part, SecretName, Share, SlackUser

NOBODY = "nobody"
"""`key.creator_user_id` of a key that is not a member's."""


class Budget(Part):
    """Shares of a limit at which to alert, and the share at which to disable (none: never)."""

    alert_at: tuple[Share, ...] = (0.5, 0.8, 1.0)
    disable_at: Share | None = None


class Runaway(Part):
    """`alert` does all but the PATCH: a dry run. `expect`: windows in which spend is meant, of a workload only."""

    mode: Literal["off", "alert", "disable"] = "alert"
    expect: tuple[ExpectedSpend, ...] = ()

    @model_validator(mode="after")
    def _expects_beside_a_mode(self) -> Self:
        if self.expect and "mode" not in self.model_fields_set:
            raise ValueError("mode: write it beside `expect`; a workload's `runaway` takes nothing from the defaults")
        names = [one.name for one in self.expect]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"expect: {', '.join(repeated)} declared twice; give each a name of its own")
        return self


class Exposed(Part):
    """What to do when somebody reports the key as leaked."""

    mode: Literal["alert", "disable"] = "alert"


class Limits(Part):
    """How a key is watched, declared or not."""

    budget: Budget = Budget()
    runaway: Runaway = Runaway()
    exposed: Exposed = Exposed()


class Owner(Part):
    slack: SlackUser


class Allowance(Part):
    """Hold each key's limit to what it has spent and what its own habit may need in `covers`: so long Governor may be
    dead without refusing what the habit asks for, and a loop of any rate costs no more than that."""

    covers: Annotated[Duration, Field(ge=timedelta(hours=1), le=timedelta(hours=12))] = timedelta(hours=6)


class Key(Part):
    """The key as it should be; `limit_usd` is per `limit_reset` (OpenRouter's periods, UTC).

    `adopts`: the name of a key made by hand, which is the workload's first. `drift`: whether a live key that differs is
    only told of, or set back as well. `creator_user_id`: the member whose key it is, and whose guardrail, budget and
    BYOK access it follows; `nobody` for none; not declared, that of the key it replaces. `federated`: a federation
    policy at OpenRouter (Settings, Workload identity) acts as this key, which no API tells and no rotation can move.
    `allowance`: None: the limit is the cap itself, or the key's share of it.
    """

    limit_usd: Annotated[float, Field(gt=0)] | None = None
    limit_reset: Literal["daily", "weekly", "monthly"] | None = None
    include_byok_in_limit: bool = False
    guardrail: str | None = None
    creator_user_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None
    expires_in: Duration | None = None
    adopts: str | None = None
    drift: Literal["alert", "repair"] = "alert"
    federated: bool = False
    allowance: Allowance | None = None

    @model_validator(mode="after")
    def _an_allowance_has_a_ceiling(self) -> Self:
        if self.allowance and self.limit_usd is None:
            raise ValueError("allowance: needs `limit_usd`, which it never passes and which is set again without it")
        return self


class Rotation(Part):
    """When the key is replaced. `overlap`: both keys work at least this long, and until the old one was quiet for
    `quiet`, but no longer than `drain_deadline` past the overlap. `before_expiry`: an expiry nearer than this is due.
    `rollback_needs_approval`: whether a rollback needs an approver's yes besides who asks; None: of tier 0 only.
    """

    every: Duration
    overlap: Duration = timedelta(hours=24)
    quiet: Duration = timedelta(hours=1)
    drain_deadline: Duration = timedelta(days=7)
    quarantine: Duration = timedelta(days=7)
    before_expiry: Duration = timedelta(days=14)
    rollback_needs_approval: bool | None = None

    @model_validator(mode="after")
    def _one_ends_before_the_next(self) -> Self:
        if self.every <= self.overlap + self.drain_deadline:
            raise ValueError("every: must be longer than overlap and drain_deadline together, or rotations pile up")
        if self.quiet > self.overlap:
            raise ValueError("quiet: must not be longer than overlap")
        return self


class Copies(Part):
    """Where the secret is kept besides: a Parameter Store SecureString, and replicas in other regions."""

    parameter: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]{1,1010}$")] | None = None
    regions: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")], ...] = ()


class Workload(Part):
    """One autonomous behaviour, its lineage of keys and its one secret. Tier 0 is never disabled without a human.

    `time_zone`: of the times in `runaway.expect`; None: the policy's.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    workspace: str
    owner: Owner
    tier: Annotated[int, Field(ge=0, le=3)] = 1
    key: Key = Key()
    secret: SecretName | None = None
    copies: Copies | None = None
    rotation: Rotation | None = None
    budget: Budget | None = None
    runaway: Runaway | None = None
    exposed: Exposed | None = None
    time_zone: TimeZone | None = None

    @model_validator(mode="after")
    def _rotation_can_work(self) -> Self:
        if self.rotation and not self.secret:
            raise ValueError("rotation: needs `secret`, where the new key is put")
        if self.copies and not self.secret:
            raise ValueError("copies: needs `secret`, which is copied")
        if self.key.allowance and not self.secret:
            raise ValueError("key.allowance: needs `secret`; Governor sets limits of keys that it has given out only")
        life = self.key.expires_in
        if self.rotation and life and life <= self.rotation.every:
            raise ValueError("key.expires_in: must be longer than rotation.every, or the key expires first")
        return self

"""Decisions to bring our own provider keys: what must stand, how it is proven, whose decision it is."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from governor.policy._parts import WEEKDAYS, Duration, Part, SecretName, SlackUser, TimeOfDay, Weekday

Text = Annotated[str, Field(min_length=1)]


class Expect(Part):
    """What must stand, credentials that are enabled only.

    `shared`: whether OpenRouter's own capacity, on credits, is to take over (True), must not (False), or nobody minds.
    `spread`: several prioritized credentials are to share the load, which filters alone can do. `region`, `zdr`: what
    each credential must declare.
    """

    prioritized: Annotated[int, Field(ge=0)] = 1
    fallback: Annotated[int, Field(ge=0)] = 0
    shared: bool | None = None
    spread: bool = False
    region: Text | None = None
    zdr: bool | None = None


class Probe(Part):
    """A small request that proves a credential. `secret`: of the workload whose inference key sends it.

    `keys`: for a credential (name or id), the secret with an inference key that this one alone lets in
    (`allowed_api_key_hashes`); without it, a probe speaks of "one of" the provider's credentials. `per_day`,
    `usd_per_day`: never more, in a UTC day.
    """

    model: Text
    secret: SecretName | None = None
    keys: Mapping[str, SecretName] = Field(default_factory=dict)
    per_day: Annotated[int, Field(ge=0, le=1000)] = 24
    usd_per_day: Annotated[float, Field(ge=0)] = 0.10


class Window(Part):
    """When a drill may run, in UTC, on these weekdays from `start` until before `end`."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = ("mon", "tue", "wed", "thu")
    start: Annotated[TimeOfDay, Field(alias="from")] = time(9)
    end: Annotated[TimeOfDay, Field(alias="to")] = time(15)

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end <= self.start:
            raise ValueError("to: must be later than from, on the same UTC day")
        return self

    def holds(self, moment: datetime) -> bool:
        utc = moment.astimezone(UTC)
        return WEEKDAYS[utc.weekday()] in self.days and self.start <= utc.time() < self.end


class Drill(Part):
    """The first credential is disabled for a moment, to see what takes over. `every`: at the earliest so long after the
    last one; None: only when asked. `within_seconds`: the next must have served by then.
    """

    every: Duration | None = None
    window: Window = Window()
    within_seconds: Annotated[int, Field(ge=1, le=60)] = 30


class Byok(Part):
    """A decision to bring our own provider key: what must stand, why, whose it is and when it may go.

    `credential`: its name or id, where the workspace has several of the provider and `secret` is given. `secret`: whose
    text is its key. `models`: what it is for (the probe's model where none is given). `action`: `bench` disables a
    prioritized credential that the provider refuses, and enables it again once it works. `review_on`: when the owner is
    asked whether the exit criterion is met, and every year after.
    """

    workspace: str
    provider: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    credential: str | None = None
    secret: SecretName | None = None
    models: tuple[Text, ...] = ()
    expect: Expect = Expect()
    action: Literal["alert", "bench"] = "alert"
    probe: Probe | None = None
    drill: Drill | None = None
    reason: Text
    owner: Text
    slack: SlackUser | None = None
    exit: Text
    review_on: date | None = None

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        prober = self.probe and self.probe.secret
        if self.drill and not prober:
            raise ValueError("drill: needs `probe.secret`, whose key asks while the first credential is disabled")
        if self.action == "bench" and not prober:
            raise ValueError("action: bench needs `probe.secret`, whose key proves that the credential works again")
        if self.drill and self.drill.every and self.drill.every < timedelta(days=1):
            raise ValueError("drill.every: a day at the least; each drill takes a credential from live traffic")
        return self

    @property
    def name(self) -> str:
        """The decision's name in events and to people: workspace and provider."""
        return f"{self.workspace}/{self.provider}"

    @property
    def purposes(self) -> tuple[str, ...]:
        """The models that it is for."""
        return self.models or ((self.probe.model,) if self.probe else ())

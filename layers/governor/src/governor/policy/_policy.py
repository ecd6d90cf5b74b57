"""The whole policy, and the names it gives."""

import importlib.resources
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from governor.policy._account import Account, Alerts, Rotations
from governor.policy._approvals import Approvals
from governor.policy._byok import Byok
from governor.policy._expected import TimeZone
from governor.policy._parts import Part
from governor.policy._people import People, is_identity
from governor.policy._presets import Preset
from governor.policy._review import Review
from governor.policy._workloads import Limits, Workload


class Policy(Part):
    """The whole policy. Use `for_subject` to learn what holds for a workload or an undeclared key."""

    version: Literal[1]
    time_zone: TimeZone = "UTC"
    account: Account = Account()
    alerts: Alerts | None = None
    defaults: Limits = Limits()
    workloads: tuple[Workload, ...] = ()
    rotations: Rotations = Rotations()
    byok: tuple[Byok, ...] = ()
    people: People = Field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    approvals: Approvals | None = None
    review: Review = Review()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _refuse_repeats("workload", (workload.name for workload in self.workloads))
        _refuse_repeats("secret", (workload.secret for workload in self.workloads if workload.secret))
        _refuse_repeats("preset", (preset.slug for preset in self.presets))
        adopted = [workload.key.adopts for workload in self.workloads if workload.key.adopts != workload.name]
        _refuse_repeats("key", (*filter(None, adopted), *(workload.name for workload in self.workloads)))
        return self

    @model_validator(mode="after")
    def _spend_is_expected_of_workloads(self) -> Self:
        if self.defaults.runaway.expect:
            raise ValueError("defaults.runaway.expect: declare it under the workload of which the spend is expected")
        return self

    @model_validator(mode="after")
    def _an_allowance_is_judged(self) -> Self:
        for workload in self.workloads:
            if workload.key.allowance and self.for_subject(workload.name).runaway.mode == "off":
                raise ValueError(
                    f"workload {workload.name}: key.allowance needs runaway.mode alert or disable; with off nobody "
                    f"judges whether it may be renewed"
                )
        return self

    @model_validator(mode="after")
    def _keys_live_no_longer_than_allowed(self) -> Self:
        most = self.account.max_key_lifetime
        for workload in self.workloads if most else ():
            life = workload.key.expires_in
            if workload.rotation and most and (life is None or life > most):
                raise ValueError(
                    f"workload {workload.name}: key.expires_in must be set and at most account.max_key_lifetime, or "
                    f"OpenRouter refuses its new key"
                )
        return self

    @model_validator(mode="after")
    def _findings_are_accepted_by_approvers(self) -> Self:
        approvers = self.approvals.approvers if self.approvals else ()
        for one in self.review.accepted:
            if one.by not in approvers:
                raise ValueError(
                    f"review.accepted: {one.rule} {one.subject}: {one.by} is not in approvals.approvers; an approver "
                    f"accepts a finding"
                )
        return self

    @classmethod
    def load(cls) -> Self:
        """The policy in the policy layer. Raises pydantic's `ValidationError` when it does not hold."""
        text = importlib.resources.files("governor_policy").joinpath("policy.json").read_text("utf-8")
        return cls.model_validate_json(text)

    @property
    def believes_events(self) -> bool:
        """Whether a name in an event counts as that person's word. Without `approvals` nobody's does."""
        return self.approvals is not None and self.approvals.by_event

    def any_member_may_disable(self, tier: int) -> bool:
        """Whether any full member of the Slack workspace may disable a key of this tier by hand."""
        return tier > 0 and (self.approvals is None or self.approvals.disable_by == "members")

    def may_disable(self, workload: Workload | None) -> tuple[str, ...]:
        """The Slack users whom the policy names as entitled to disable a key by hand.

        `workload`: the one whose key it is; None for a key that no workload declares. `any_member_may_disable` says
        whether others are entitled too.
        """
        approvers = self.approvals.approvers if self.approvals else ()
        if workload is None or (self.approvals and self.approvals.disable_by == "approvers"):
            return approvers
        return tuple(dict.fromkeys((workload.owner.slack, *approvers)))

    def workload(self, name: str) -> Workload | None:
        """The workload declared under this name."""
        return self._named.get(name)

    def preset(self, slug: str) -> Preset | None:
        """The preset declared under this slug."""
        return next((preset for preset in self.presets if preset.slug == slug), None)

    def slack_user_of(self, openrouter_user: str) -> str | None:
        """Who this OpenRouter user is in Slack; None where `people` does not say."""
        return next((slack for slack, one in self.people.items() if one.openrouter == openrouter_user), None)

    def person_of(self, arn: str) -> str | None:
        """The Slack user whose AWS identity this is; None where `people` does not say.

        `arn`: as `sts:GetCallerIdentity` answers it.
        """
        for slack, one in self.people.items():
            if any(is_identity(arn, declared) for declared in one.aws):
                return slack
        return None

    def lineage_of(self, key_name: str) -> str:
        """The name of the lineage that a key is of: the workload that adopts it, or else what its name bears."""
        return self._adopted.get(key_name) or lineage_name(key_name)

    @cached_property
    def _named(self) -> dict[str, Workload]:
        return {workload.name: workload for workload in self.workloads}

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

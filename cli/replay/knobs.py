"""`--what-if`: the policy with one knob turned, so that two outcomes can stand side by side. Pure."""

from collections.abc import Callable
from typing import Any, get_args

from pydantic import ValidationError

from cli.output import Failure
from governor.policy import Budget, Key, Limits, Policy, Runaway, Workload
from tools.policy import nearest

NEVER = "never"
_MODES = get_args(Runaway.model_fields["mode"].annotation)


def turned(policy: Policy, knob: str) -> Policy:
    """The policy with `[WORKLOAD.]NAME=VALUE` turned: for one workload, or for all and the defaults.

    Raises `Failure` for a knob or a value that there is none.
    """
    where, separator, value = (part.strip() for part in knob.partition("="))
    workload, _, name = where.rpartition(".")
    if not separator or name not in KNOBS:
        near = nearest(name, KNOBS)
        fix = f"Did you mean {near}? " if near else ""
        raise Failure(f"--what-if {knob}: there is no knob {name}", fix=f"{fix}Knobs: {', '.join(KNOBS)}.")
    if workload and policy.workload(workload) is None:
        near = nearest(workload, [one.name for one in policy.workloads])
        fix = f"Did you mean {near}?" if near else "Name a workload of the policy, or none for all of them."
        raise Failure(f"--what-if {knob}: the policy has no workload {workload}", fix=fix)
    try:
        change = KNOBS[name](value)
        workloads = tuple(change(one, policy) if workload in ("", one.name) else one for one in policy.workloads)
        changed = policy.model_copy(update={"workloads": workloads})
        return changed if workload else changed.model_copy(update={"defaults": _defaults(policy, name, value)})
    except (ValueError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise Failure(f"--what-if {knob}: {why}", fix=f"Values: {VALUES[name]}.") from None


type Change = Callable[[Workload, Policy], Workload]


def _tier(value: str) -> Change:
    tier = int(value)
    if not 0 <= tier <= 3:
        raise ValueError("a tier is 0, 1, 2 or 3")
    return lambda one, policy: one.model_copy(update={"tier": tier})


def _disable_at(value: str) -> Change:
    return lambda one, policy: one.model_copy(
        update={"budget": _budget(one.budget or policy.defaults.budget, "disable_at", value)}
    )


def _alert_at(value: str) -> Change:
    return lambda one, policy: one.model_copy(
        update={"budget": _budget(one.budget or policy.defaults.budget, "alert_at", value)}
    )


def _runaway(value: str) -> Change:
    mode = _mode(value)
    return lambda one, policy: one.model_copy(update={"runaway": mode})


def _limit_usd(value: str) -> Change:
    limit = None if value == NEVER else Key(limit_usd=float(value)).limit_usd
    return lambda one, policy: one.model_copy(update={"key": one.key.model_copy(update={"limit_usd": limit})})


KNOBS: dict[str, Callable[[str], Change]] = {
    "tier": _tier,
    "disable_at": _disable_at,
    "alert_at": _alert_at,
    "runaway": _runaway,
    "limit_usd": _limit_usd,
}
VALUES = {
    "tier": "0 to 3",
    "disable_at": f"a share, such as 1.0, or {NEVER}",
    "alert_at": "shares, such as 0.5,0.8",
    "runaway": ", ".join(_MODES),
    "limit_usd": f"USD in a key's period, or {NEVER}",
}


def _defaults(policy: Policy, name: str, value: str) -> Limits:
    """What holds for keys that no workload claims; tiers and limits they have none."""
    defaults = policy.defaults
    if name in ("disable_at", "alert_at"):
        return defaults.model_copy(update={"budget": _budget(defaults.budget, name, value)})
    return defaults.model_copy(update={"runaway": _mode(value)}) if name == "runaway" else defaults


def _budget(budget: Budget, name: str, value: str) -> Budget:
    amount: Any = (
        [float(one) for one in value.split(",")] if name == "alert_at" else float(value) if value != NEVER else None
    )
    return Budget.model_validate({**budget.model_dump(), name: amount})


def _mode(value: str) -> Runaway:
    return Runaway.model_validate({"mode": value})

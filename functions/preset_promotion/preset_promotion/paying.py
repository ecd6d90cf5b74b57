"""Golden cases cost money: a day's purse bounds all runs of a preset, and what has not changed is not run again.

| effect | dies before | dies after | twice, beside itself |
|---|---|---|---|
| a run's purse is taken from the day's | nothing was asked | counts as spent all day | one wins the row |
| golden cases | the purse counts as spent | as before | only who took the purse asks |
| the rest is given back, with what the checks came to | counts as spent | done | one wins the row |
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, timedelta

from governor.policy import Golden
from preset_promotion.case_runs import Run, run
from preset_promotion.catalogue import Catalogue
from preset_promotion.checks import Check, failing
from preset_promotion.content import Content
from preset_promotion.ports import Turn
from preset_promotion.record import Judged, Purse

JUDGED_KEPT = timedelta(hours=24)
"""How long a run that held a candidate back stands for the same candidate."""
_PASSING = ("unanswered", "budget", "time")
"""Classes that say nothing about the candidate: such a run is made again."""


def cases(turn: Turn, candidate: Content, base: Content | None, catalogue: Catalogue) -> Run:
    """What the golden cases come to; nothing is asked where the day's purse is used up, or nothing has changed."""
    golden = turn.preset.checks.golden
    if golden is None:
        return Run()
    key, now = _key(golden, candidate, base), turn.ports.clock()
    judged = turn.record.judged
    if judged and judged.key == key and now - judged.at < JUDGED_KEPT:
        hours = f"{judged.at.astimezone(UTC):%H:%M} UTC"
        same = f"Golden cases were not run again: neither version has changed since the run of {hours}"
        return Run(judged.checks, 0.0, (same, *judged.shown))
    spent = _spent(turn)
    if spent + golden.usd > golden.daily_usd:
        why = (
            f"today's purse has no room for a run: ${spent:.4f} of ${golden.daily_usd:g} are used; ask after 00:00 UTC"
        )
        return Run((Check("golden", False, why),))
    taken = replace(turn.record, purse=Purse(_day(turn), round(spent + golden.usd, 6)))
    turn.write(taken)
    ran = run(turn, candidate, base, catalogue)
    left = max(golden.usd - ran.usd, 0.0)
    # Written with what the checks came to. A run that went on past midnight leaves the new day's purse alone.
    given_back = Purse(taken.purse.day, round(taken.purse.usd - left, 6))
    held_back = failing(ran.checks) and not any(_says_nothing(check) for check in ran.checks)
    turn.record = replace(
        turn.record,
        purse=given_back,
        judged=Judged(key, now, ran.checks, ran.shown) if held_back else None,
    )
    return ran


def _spent(turn: Turn) -> float:
    purse = turn.record.purse
    return purse.usd if purse.day == _day(turn) else 0.0


def _day(turn: Turn) -> str:
    return turn.ports.clock().astimezone(UTC).date().isoformat()


def _says_nothing(check: Check) -> bool:
    classes = check.why.partition(";")[0].split(", ")
    return not check.passed and any(one in _PASSING for one in classes)


def _key(golden: Golden, candidate: Content, base: Content | None) -> str:
    text = json.dumps([golden.model_dump(mode="json"), candidate.digest, base.digest if base else ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

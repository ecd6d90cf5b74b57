"""What people read about presets: promoted, held back, taken back, and edited behind Governor's back."""

from collections.abc import Sequence
from typing import cast

from governor.approvals.authorship import Author, approvals_of_order
from governor.events.preset_evidence import CheckResult, PresetDrift, Promotion
from governor.slack.channel import escape
from governor.slack.text import link
from notifier import buttons
from notifier.case import Case
from notifier.phrases import person
from notifier.words import GREEN, ORANGE, RED, Words

_FIX = "docs/operations.md, “A promotion fails”, has the fix for each rule."
_TAKEN_BACK = {"dropped": "OpenRouter had dropped part of it", "smoke": "it did not answer"}


def promoted(case: Case) -> Words:
    evidence = cast(Promotion, case.evidence)
    name, former = escape(evidence.name), evidence.former.version
    if evidence.how == "adopt":
        headline = f"🟢 The edit of preset {name} is adopted: it counts as promoted from now on. {_by(evidence)}"
        return Words(headline, GREEN, case.why)
    despite = ", although checks failed" if evidence.how == "override" else ""
    headline = (
        f"🟢 Preset {name} is promoted{despite}: production serves version {evidence.candidate.version} of "
        f"{escape(evidence.candidate.workspace)}, read back and answering. {_by(evidence)}"
    )
    facts = (f"*Production:* version {former} → {evidence.became}", *_lines(evidence))
    if not former:
        return Words(headline, GREEN, facts)
    todo = f"Nothing. If it misbehaves, roll it back: what version {former} holds is served again."
    return Words(headline, GREEN, facts, todo, (buttons.rollback(evidence),))


def failed(case: Case) -> Words:
    evidence = cast(Promotion, case.evidence)
    name, reason = escape(evidence.name), escape(case.event.reason)
    if evidence.overridable:
        headline = f"🔴 Preset {name} is held back by its checks. Production was not touched. {reason}"
        todo = "Fix it in staging, or ask the approvers to override what failed."
        override = (buttons.override(evidence),)
        return Words(headline, RED, (*_failing(evidence.checks), *_lines(evidence)), todo, override)
    if not evidence.became:
        return Words(f"🟠 Production of preset {name} was not changed. {reason}", ORANGE, (), _FIX)
    headline = f"🔴 Preset {name}: production serves version {evidence.became}. {reason}"
    return Words(headline, RED, (), _FIX)


def rolled_back(case: Case) -> Words:
    evidence = cast(Promotion, case.evidence)
    name = escape(evidence.name)
    served = f"production serves version {evidence.candidate.version} again, as version {evidence.became}, read back"
    if evidence.how == "automatic":
        why = _TAKEN_BACK.get(evidence.rule, "it was not as approved")
        headline = f"🟠 Preset {name} was promoted and taken back at once, because {why}: {served}."
        return Words(headline, ORANGE, (), "Fix it in staging, then ask again.")
    done = "was reverted" if evidence.how == "revert" else "is rolled back"
    headline = f"🟢 Preset {name} {done}: {served}. {_by(evidence)}"
    return Words(headline, GREEN, case.why, "Find out what was wrong, before it is promoted again.")


_RESTORE = (
    "Ask who archived it. To bring it back, restore it in OpenRouter (Presets, or POST /presets/{slug}/restore with a "
    "management key that may write): its versions are kept. A promotion does not bring it back."
)


def drifted(case: Case) -> Words:
    evidence = cast(PresetDrift, case.evidence)
    headline = f"🟠 Somebody changed preset {escape(evidence.name)} in production. {escape(case.event.reason)}"
    facts = tuple(f"• {escape(line)}" for line in evidence.shown)
    facts += (link(evidence.file, "The whole difference"),) if evidence.file else ()
    version = evidence.live.version
    if not version:
        return Words(headline, ORANGE, facts, _RESTORE)
    facts = (*_saved_by(case, evidence), *facts)
    todo = (
        "Adopt what production serves now, or revert to what was promoted last. An approver's click does it where one "
        "approval is enough; any other click asks the approvers."
    )
    return Words(headline, ORANGE, facts, todo, (buttons.adopt(evidence), buttons.revert(evidence)))


def _saved_by(case: Case, evidence: PresetDrift) -> tuple[str, ...]:
    if evidence.author:
        return (f"*Saved by:* {person(evidence.author)}, as OpenRouter says; another approver may adopt it at once",)
    if not evidence.author_unknown:
        return ()
    preset = case.policy.preset(evidence.name)
    needed = approvals_of_order(preset, Author(unknown=evidence.author_unknown)) if preset else 2
    takes = "One approver may adopt it" if needed == 1 else f"It takes {needed} approvers to adopt it"
    return (f"*Saved by:* nobody knows, because {escape(evidence.author_unknown)}. {takes}",)


def _by(evidence: Promotion) -> str:
    approved = " and ".join(person(one) for one in evidence.approved_by)
    asked = person(evidence.requested_by)
    return f"{approved} approved what {asked} asked for." if approved != asked else f"By {asked}."


def _failing(checks: Sequence[CheckResult]) -> tuple[str, ...]:
    return tuple(f"✗ {escape(one.name)}: {escape(one.why)}" for one in checks if not one.passed)


def _lines(evidence: Promotion) -> tuple[str, ...]:
    return tuple(f"• {escape(line)}" for line in evidence.shown)

"""What people read about keys that are replaced, drained, retired and given back."""

from typing import cast

from governor.events.evidence import CredentialRotated, Drain, Drift, Expiring, Retired, Rotated
from governor.slack.channel import escape
from notifier import buttons
from notifier.case import Case
from notifier.phrases import key_link, utc
from notifier.words import GREEN, ORANGE, RED, YELLOW, Words

_LAST_KEY = "Roll back or rotate: docs/operations.md, “The current key is gone”."

_PUT_BACK = "Roll back, so that Governor takes it for the current key; or rotate, and the secret holds a new one."


def started(case: Case) -> Words:
    return Words(f"🔑 {case.who} is getting a new key.", YELLOW, case.why)


def rotated(case: Case) -> Words:
    evidence = cast(Rotated, case.evidence)
    old = ""
    if evidence.overlap_until:
        old = f" The old one works until {utc(evidence.overlap_until)} at least, and as long as it is used."
    elif evidence.old:
        old = " The old one is disabled and stays so."
    headline = f"🟢 {case.who} has a new key, in secret `{escape(evidence.secret)}`.{old}"
    todo = "Nothing, if the workload reads its secret with a short cache."
    if not (evidence.old and evidence.new and evidence.overlap_until):
        return Words(headline, GREEN, _keys(evidence), todo)
    back = buttons.rollback_key(case, evidence.old, evidence.new)
    return Words(headline, GREEN, _keys(evidence), f"{todo} If the new key fails its callers, roll back.", (back,))


def failed(case: Case) -> Words:
    evidence = cast(Rotated, case.evidence)
    headline = (
        f"🔴 {case.who} could not be given a new key; the one it has goes on working as before. "
        f"{escape(case.event.reason)}{case.owner}"
    )
    step = (f"*Step:* {escape(evidence.step)}",) if evidence.step else ()
    todo = "docs/operations.md, “A rotation fails”, has the fix for each rule. Then rotate again."
    return Words(headline, RED, step, todo, (buttons.rotate(case),))


def rolled_back(case: Case) -> Words:
    evidence = cast(Rotated, case.evidence)
    if evidence.rule == "current_gone":
        headline = f"🟠 {case.who} works with its former key again: somebody deleted the current one.{case.owner}"
        return Words(headline, ORANGE, (*_keys(evidence), *case.why), "Ask who deleted it, and why.")
    headline = f"🟢 {case.who} has its former key back. The newer one is drained and retired."
    return Words(headline, GREEN, (*_keys(evidence), *case.why), "Find out what was wrong with the new key.")


def rollback_refused(case: Case) -> Words:
    headline = f"🟠 {case.who} does not get its former key back. {escape(case.event.reason)}"
    return Words(headline, ORANGE)


def blocked(case: Case) -> Words:
    evidence = cast(Drain, case.evidence)
    if evidence.rule == "last_key":
        headline = f"🔴 {case.who} has no working key in its secret; its former key is kept.{case.owner}"
        facts = [f"• {key_link(evidence.key.hash, evidence.key.name)}", *case.why]
        back = buttons.rollback_key(case, evidence.key, evidence.current)
        return Words(headline, RED, tuple(facts), _LAST_KEY, (back, buttons.rotate(case)))
    if evidence.rule == "put_back":
        facts = [f"• {key_link(evidence.key.hash, evidence.key.name)}", *case.why]
        headline = f"🟠 The secret of {case.who} holds its former key again; that key is kept.{case.owner}"
        back = buttons.rollback_key(case, evidence.key, evidence.current)
        return Words(headline, ORANGE, tuple(facts), _PUT_BACK, (back, buttons.rotate(case)))
    headline = (
        f"🟠 {case.who} still uses a key that was replaced at {utc(evidence.since)}. It is disabled at "
        f"{utc(evidence.deadline)}, used or not.{case.owner}"
    )
    if evidence.behind:
        headline = f"🟠 The old key of {case.who} stays enabled: a copy of its secret does not hold the new one."
    elif evidence.rule == "federated":
        headline = (
            f"🟠 {case.who} still uses a key that was replaced at {utc(evidence.since)}. It stays enabled, because a "
            f"federation policy acts as it and cannot follow the secret.{case.owner}"
        )
    facts = [f"• {key_link(evidence.key.hash, evidence.key.name)}"]
    if evidence.last_used_at:
        facts.append(f"*Last used:* {utc(evidence.last_used_at)}")
    for title, ranking in (
        ("Models", evidence.top_models),
        ("Apps", evidence.top_apps),
        ("Users", evidence.top_users),
    ):
        if ranking:
            named = ", ".join(f"{escape(name)} ({count:,.0f} requests)" for name, count in ranking)
            facts.append(f"*{title}:* {named}")
    facts += [f"*Behind:* {escape(one)}" for one in evidence.behind]
    facts += [f"*Unknown:* {escape(one)}" for one in evidence.missing]
    todo = (
        "Give the copies that are named the new value."
        if evidence.behind
        else "Point whoever still uses it to the workload's secret."
    )
    if evidence.rule == "federated":
        todo = (
            "Let the policy act as the new key (OpenRouter: Settings, Workload identity), point the others to the "
            "secret, or disable the old key yourself."
        )
    back = buttons.rollback_key(case, evidence.key, evidence.current)
    return Words(headline, ORANGE, tuple(facts), todo, (back,))


def retired(case: Case) -> Words:
    evidence = cast(Retired, case.evidence)
    headline = f"🟢 The old key of {case.who} is deleted."
    return Words(headline, GREEN, (f"• {escape(evidence.key.name)}", *case.why))


def orphan_removed(case: Case) -> Words:
    evidence = cast(Retired, case.evidence)
    headline = f"🟢 A key that nobody was given is deleted: {escape(evidence.key.name)}."
    return Words(headline, GREEN, case.why)


def drifted(case: Case) -> Words:
    evidence = cast(Drift, case.evidence)
    headline = f"🟠 {case.who} is not as the policy says. {escape(case.event.reason)}{case.owner}"
    facts = (f"*Policy:* {escape(evidence.policy)}", f"*OpenRouter:* {escape(evidence.live)}")
    if evidence.field == "hash" and not evidence.repair:
        rotate = buttons.rotate(case)
        if not evidence.former:
            return Words(headline, ORANGE, facts, _LAST_KEY, (rotate,))
        back = buttons.rollback_key(case, evidence.former, evidence.key)
        return Words(headline, ORANGE, facts, _LAST_KEY, (back, rotate))
    return Words(headline, ORANGE, facts, escape(evidence.repair) or "Fix OpenRouter or the policy.")


def expiring(case: Case) -> Words:
    evidence = cast(Expiring, case.evidence)
    icon, colour = ("🔴", RED) if evidence.why == "expiry" else ("🟠", ORANGE)
    todo = f"Make a new one in OpenRouter (Settings, Management keys) and put it into secret {escape(evidence.secret)}."
    return Words(f"{icon} {escape(case.event.reason)}", colour, (), f"{todo} No deploy is needed.")


def credential_rotated(case: Case) -> Words:
    evidence = cast(CredentialRotated, case.evidence)
    icon, colour = ("🟢", GREEN) if evidence.proof == "served" else ("🟡", YELLOW)
    headline = f"{icon} The BYOK credential {case.who} has a new key. Owner: {escape(evidence.owner)}."
    return Words(headline, colour, case.why)


def credential_failed(case: Case) -> Words:
    evidence = cast(CredentialRotated, case.evidence)
    headline = f"🔴 The BYOK credential {case.who} did not get its new key. Owner: {escape(evidence.owner)}."
    return Words(headline, RED, case.why, f"Fix it, then put the key into secret {escape(evidence.secret)} again.")


def _keys(evidence: Rotated) -> tuple[str, ...]:
    pairs = (("New", evidence.new), ("Old", evidence.old))
    return tuple(f"• {title}: {key_link(key.hash, key.name)}" for title, key in pairs if key)

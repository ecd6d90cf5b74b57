"""`governor explain`: why a key is disabled, who decided what and when, and the rule's own words."""

import difflib
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from approval_desk.parsing import is_hash
from cli.command import command
from cli.deployed import POLICY, PolicyFile, deployed, policy_of
from cli.explaining import Explanation, Step, explain, step_of
from cli.history import History, Named, history, named
from cli.output import ExitCode, Failure, plain
from cli.session import Session
from governor.policy import Policy


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "explain", openrouter=True, aws=True)(_explain)


def _explain(
    session: Session,
    what: Annotated[
        str,
        typer.Argument(metavar="SUBJECT|EVENT|KEY-HASH", help="A workload, preset or workspace/provider; or an id."),
    ],
    policy: PolicyFile = POLICY,
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="How much of what happened to show.")] = 10,
) -> ExitCode | None:
    """Why a key is disabled, or is not: who decided what and when, with the rule's own words.

    SUBJECT is a workload, a preset or WORKSPACE/PROVIDER; EVENT the id of an event or request; KEY-HASH a key's hash.
    Reads the ledger with your own AWS rights, and OpenRouter where there is a management key. Exit code 1: something
    could not be read, so the answer may lack it.

    Example: governor explain prod-search-agent --stack governor
    """
    declared, stack = policy_of(policy), deployed(session)
    with session.out.progress("reading the ledger and OpenRouter"):
        word = what.strip()
        found = named(session, stack, declared, word)
        subject = found.subject(word)
        is_key = is_hash(word) and found.interaction is None
        known = history(session, stack, found, subject, declared.account.base_url, (word,) if is_key else ())
    asked = step_of(found.event) if found.event else None
    if known.is_empty and not asked and not any(known.live.values()):
        _refuse_unknown(word, subject, found, declared, known)
    explanation = explain(known, declared, session.now)
    gaps = list(dict.fromkeys([*found.gaps, *known.gaps]))
    document = {
        "subject": subject,
        "asked": asked.data() if asked else None,
        "verdict": list(explanation.verdict),
        "because": [step.data() for step in explanation.because],
        "timeline": [step.data() for step in explanation.timeline],
        "not_read": gaps,
    }
    session.out.result(document, lambda console: _render(console, subject, asked, explanation, last))
    for gap in gaps:
        session.out.message(f"not read: {gap}", style="yellow")
    return ExitCode.FINDINGS if gaps else None


def _refuse_unknown(word: str, subject: str, found: Named, policy: Policy, known: History) -> None:
    """Raises `Failure` for what nobody knows; a declared workload of which nothing is known yet is no such thing."""
    if policy.workload(subject) or policy.preset(subject):
        return
    if found.interaction:
        raise Failure(f"{word[:12]} is a click or a command: {found.interaction.get('said')}", fix="Name its subject.")
    names = [*(one.name for one in policy.workloads), *(one.slug for one in policy.presets)]
    near = difflib.get_close_matches(word, [*names, *(one.workload for one in found.lineages)], n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    unread = " Not everything could be read." if found.gaps or known.gaps else ""
    raise Failure(
        f"Nothing is known under {word}.{unread}",
        fix=f"{meant}Give a workload's name, a key's hash (64 hexadecimal digits), or the id of an event.",
    )


def _render(console: Console, subject: str, asked: Step | None, explanation: Explanation, last: int) -> None:
    if asked:
        console.print(Text(f"The event {asked.id}", style="bold"))
        _step(console, asked)
    for sentence in explanation.verdict:
        console.print(Text(plain(sentence)))
    if explanation.because:
        console.print(Text("\nBecause", style="bold"))
        for step in explanation.because:
            _step(console, step)
    shown = explanation.timeline[-last:] if last else ()
    if shown:
        console.print(
            Text(f"\nWhat happened to {plain(subject)} ({len(shown)} of {len(explanation.timeline)})", style="bold")
        )
        for step in shown:
            by = f" by {step.by}" if step.by else ""
            console.print(Text(plain(f"{step.at:%Y-%m-%d %H:%M}  {step.what}{by}  {step.id}")))


def _step(console: Console, step: Step) -> None:
    by, rule = (f" by {step.by}" if step.by else ""), (f" (rule {step.rule})" if step.rule else "")
    console.print(Text(plain(f"{step.at:%Y-%m-%d %H:%M} UTC  {step.what}{rule}{by}"), style="bold"))
    lines = [step.why]
    if step.said:
        lines += [step.said.text, f"See {step.said.where}."]
    for line in filter(None, lines):
        console.print(Text(plain(f"  {line}")))

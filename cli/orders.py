"""Commands that have something done: the same requests as those of `/governor` in Slack, signed with the sender's AWS
credentials.

Nothing is done here. The command goes as an event over the stack's bus; `approval_desk` has STS prove who signed it,
looks in the policy who that is, and decides as it does for Slack. Its answer is read in the ledger.
"""

import html
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.text import Text

from approval_desk.parsing import MEANING, typed
from cli.command import command
from cli.deployed import Deployed, deployed
from cli.output import ExitCode, Failure, plain
from cli.session import Session
from governor.approvals.approval import Kind
from governor.aws_identity import digest, interaction_id, regional, sign
from governor.events import DetailType
from governor.keys.bulk_order import WORDS
from redaction import redact

SOURCE = "governor.cli"
DONE = frozenset(
    {
        *get_args(Kind),
        "expected",
        "preview",
        *WORDS,
        DetailType.ROTATION_REQUESTED,
        DetailType.PRESET_PROMOTION_REQUESTED,
        DetailType.REVIEW_REQUESTED,
    }
)
"""Rules of an answer after which something is under way, or people are asked. After any other, nothing is done."""
Wait = Annotated[
    int, typer.Option("--wait", metavar="SECONDS", min=0, max=300, help="How long to wait for the answer; 0: not.")
]
Workload = Annotated[str, typer.Argument(metavar="WORKLOAD", help="A workload of the policy.")]
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="A workload of the policy, or a key's hash.")]
Preset = Annotated[str, typer.Argument(metavar="PRESET", help="The slug of a preset of the policy.")]
_HELP = """{meaning}.

You are whom the policy gives your AWS identity to (`people`), and may do what that person may in Slack. Exit code 1:
it was understood, and nothing is done; the answer says why.

Example: governor {example} --stack governor
"""


def document(name: str, example: str) -> str:
    """The help of a command that gives an order."""
    meaning = MEANING[name][0].upper() + MEANING[name][1:]
    return _HELP.format(meaning=meaning, example=f"{name} {example}")


def register(app: typer.Typer) -> None:
    """Adds the commands."""

    def disable(session: Session, subject: Subject, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"disable {subject}", wait)

    def restore(
        session: Session,
        subject: Subject,
        cause: Annotated[str, typer.Argument(metavar="CAUSE", help="Which cause is over, if there are several.")] = "",
        wait: Wait = 30,
    ) -> ExitCode | None:
        return send(session, f"restore {subject} {cause}".strip(), wait)

    def expected(session: Session, subject: Subject, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"expected {subject}", wait)

    def rollback_key(session: Session, workload: Workload, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"rollback-key {workload}", wait)

    def rollback(session: Session, preset: Preset, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"rollback {preset}", wait)

    def promote(session: Session, preset: Preset, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"promote {preset}", wait)

    def drill(
        session: Session,
        workspace: Annotated[str, typer.Argument(metavar="WORKSPACE", help="As the policy's `byok` names it.")],
        provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="OpenRouter's slug of the provider.")],
        wait: Wait = 30,
    ) -> ExitCode | None:
        return send(session, f"drill {workspace} {provider}", wait)

    examples: Mapping[str, tuple[Callable[..., ExitCode | None], str]] = {
        "disable": (disable, "prod-search-agent"),
        "restore": (restore, "prod-search-agent runaway"),
        "expected": (expected, "prod-search-agent"),
        "rollback-key": (rollback_key, "prod-search-agent"),
        "rollback": (rollback, "support-triage"),
        "promote": (promote, "support-triage"),
        "drill": (drill, "platform-production anthropic"),
    }
    for name, (function, example) in examples.items():
        function.__doc__ = document(name, example)
        command(app, name, aws=True)(function)


def send(session: Session, text: str, wait: int) -> ExitCode | None:
    """Signs the command, sends it, and shows the answer. Raises `Failure`, or botocore's errors."""
    if redact(text) != text:
        raise Failure("The command holds what looks like a credential", fix="Name the workload, or the key's hash.")
    wanted = typed(text)
    if wanted.hint:
        raise Failure(_readable(wanted.hint), fix="governor --help lists the commands.")
    stack = deployed(session)
    with session.out.progress("sending the command"):
        id = _put(session, stack, text, wanted.subject)
    if not wait:
        _show(session, {"id": id, "command": text, "sent": True}, "Sent.")
        return None
    with _interrupted(session, "The command was sent, and may yet be done: nothing takes it back. See the channel."):
        answer = _answer(session, stack, id, wait)
    said = _readable(str(answer["said"]))
    done = answer["rule"] in DONE
    document = {"id": id, "command": text, "sent": True, "done": done, "rule": answer["rule"], "said": said}
    _show(session, {**document, "by": answer.get("by"), "identity": answer.get("arn")}, said)
    return None if done else ExitCode.FINDINGS


def _put(session: Session, stack: Deployed, text: str, subject: str) -> str:
    """Hands the signed command to the bus; its id."""
    sts = session.aws("sts")
    region, nonce = sts.meta.region_name, secrets.token_hex(16)
    bound = digest(stack.bus_arn, text, nonce)
    proof = sign(session.outside.credentials(), regional(sts.meta.endpoint_url, region), region, bound)
    evidence = {"command": text, "nonce": nonce, "proof": proof.encode()}
    entry = {
        "EventBusName": stack.bus,
        "Source": SOURCE,
        "DetailType": DetailType.COMMAND_REQUESTED.value,
        "Detail": json.dumps({"subject": subject, "evidence": evidence}),
    }
    bus = session.aws("events")
    with _interrupted(session, "The command may have been sent: look into the channel before you repeat it."):
        answer = bus.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        code = answer["Entries"][0].get("ErrorCode", "an unknown error")
        raise Failure(
            f"The bus {stack.bus} did not take the command: {code}",
            fix="Nothing was done. Run the command again; if it stays so, ask for events:PutEvents on the bus.",
            code=ExitCode.FAR_SIDE,
        )
    return interaction_id(bound, proof)


def _answer(session: Session, stack: Deployed, id: str, wait: int) -> Mapping[str, Any]:
    """What the desk wrote. Raises `Failure` for no answer in time."""
    with session.out.progress("waiting for the answer"):
        for second in range(wait + 1):
            row = stack.ledger.get("interaction", id)
            if row is not None and "rule" in row.data:
                return row.data
            if second < wait:
                session.outside.sleep(1)
    raise Failure(
        f"The command was sent, and there is no answer after {wait} seconds. It may yet be done",
        fix=(
            "Look into the channel. A signature that proves nothing gets no answer: see whether your clock is "
            "right, and what the log of approval_desk says (`a command proves no identity`)."
        ),
        code=ExitCode.FAR_SIDE,
    )


@contextmanager
def _interrupted(session: Session, what: str) -> Iterator[None]:
    """Tells a person who interrupts what has, or may have, happened by then."""
    try:
        yield
    except KeyboardInterrupt:
        session.out.message(what)
        raise


def _show(session: Session, document: Mapping[str, Any], said: str) -> None:
    def render(console: Console) -> None:
        console.print(Text(plain(said)))

    session.out.result(document, render)


def _readable(said: str) -> str:
    """Slack's markup as plain text."""
    return html.unescape(re.sub(r"<@(\w+)>", r"\1", said)).replace("`/governor ", "`governor ")

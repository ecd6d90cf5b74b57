"""`governor review`: the last review of the account, as the stack keeps it, or a new one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from cli.command import command
from cli.deployed import outputs_of
from cli.orders import Wait, send
from cli.output import ExitCode, Failure, plain, row, table, usd, write_atomically
from cli.session import Session

LATEST = "reviews/latest.json"
OBJECTS = ("index.html", "findings.csv", "costs.csv", "focus.csv")
MOST = 40
Now = Annotated[bool, typer.Option("--now", help="Ask for a new review instead; the channel is told.")]
Save = Annotated[
    Path | None, typer.Option("--save", metavar="FOLDER", help="Put its page and its tables into this folder.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "review", aws=True)(review)


def review(session: Session, now: Now = False, save: Save = None, wait: Wait = 30) -> ExitCode | None:
    """Shows the account's last review: findings, and what the week cost.

    With --save its page (open index.html) and its tables are put into a folder: findings.csv, costs.csv, and focus.csv
    in the columns of FOCUS 1.2. With --now you ask for a new one, as `/governor review` in Slack does. Exit code 1: it
    has open findings of high severity; with --now: nothing is done, and the answer says why.

    Example: governor review --stack governor --save review
    """
    if now:
        return send(session, "review", wait)
    _, _, outputs = outputs_of(session)
    bucket = outputs.get("ReadingBucket", "")
    with session.out.progress("reading the review"):
        s3 = session.aws("s3")
        document = json.loads(_read(s3, bucket, LATEST))
        # All of them before the first is written: the four belong together.
        wanted = OBJECTS if save else ()
        objects = {name: _read(s3, bucket, f"reviews/{document['summary']['run']}/{name}") for name in wanted}
    if save:
        try:
            save.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fix = "Give a folder, or a path in one that you may write."
            raise Failure(f"The folder {save} could not be made: {error.strerror}", fix=fix) from None
        for name, content in objects.items():
            write_atomically(save / name, content)
    session.out.result(document, lambda console: _print(console, document, save))
    return ExitCode.FINDINGS if document["summary"]["findings"].get("high") else None


def _read(s3: Any, bucket: str, key: str) -> bytes:
    """The object. Raises `Failure` where there is none, or botocore's errors."""
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        # Whoever may not list the bucket is not told that an object is absent.
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        raise Failure(
            f"The bucket {bucket} has no {key}: the account was not reviewed yet",
            fix="Ask for a review (governor review --now), or wait for Monday, 07:00 UTC.",
        ) from None
    return body


def _print(console: Console, document: Mapping[str, Any], save: Path | None) -> None:
    summary, found = document["summary"], [one for one in document["findings"] if one["state"] != "accepted"]
    month = summary["month_expected_usd"]
    expected = f"; {usd(month)} expected this month" if month is not None else ""
    console.print(
        f"Reviewed {document['at']}: {usd(summary['week_usd'])} in seven days, {usd(summary['week_before_usd'])} in "
        f"the seven before{expected}"
    )
    console.print(f"{len(found):,} findings open, {summary['new']:,} new, {summary['accepted']:,} accepted")
    for line in summary["unread"]:
        console.print(Text(plain(f"Not read: {line}")))
    if found:
        made = table("severity", "what", "where", "evidence")
        for one in found[:MOST]:
            row(made, one["severity"], one["title"], one["subject"], one["evidence"])
        console.print(made)
    if len(found) > MOST:
        console.print(f"and {len(found) - MOST:,} more: --json, or --save FOLDER")
    if save:
        console.print(Text(f"Saved in {save}: {', '.join(OBJECTS)}"))

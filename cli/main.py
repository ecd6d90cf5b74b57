"""The `governor` command: every command module is registered here, one line each."""

import os
import signal
import sys
import threading

import typer

import cli.broadcast
import cli.bulk_orders
import cli.doctor
import cli.explain
import cli.importing.command
import cli.orders
import cli.plan
import cli.policy
import cli.review
import cli.status
import cli.terraform_command
from cli.output import ExitCode

HELP = (
    "Adopts, tries and runs Governor on an OpenRouter account.\n\n"
    "A command reads only, unless its name says otherwise. The management key is read from the variable "
    "OPENROUTER_MANAGEMENT_KEY or from Secrets Manager (--secret-id), never from an argument.\n\n"
    "Exit codes: 0 done; 1 done, and the command found something that its help names; 2 the command or its input is "
    "wrong; 3 OpenRouter or AWS could not be reached, or refused; 130 interrupted."
)


def build() -> typer.Typer:
    """The application with all its commands. Tests run it with an `Outside` of their own as `obj`."""
    app = typer.Typer(
        name="governor",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        # A traceback's locals would hold the management key.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    cli.importing.command.register(app)
    cli.plan.register(app)
    cli.policy.register(app)
    cli.terraform_command.register(app)
    cli.status.register(app)
    cli.orders.register(app)
    cli.bulk_orders.register(app)
    cli.explain.register(app)
    cli.doctor.register(app)
    cli.review.register(app)
    cli.broadcast.register(app)
    return app


def _root() -> None:
    """Makes `governor` a group even while it has one command."""


app = build()


def _interrupted(_signal: int, _frame: object) -> None:
    """Ctrl-C ends the process within two seconds, though threads that wait for an answer keep its usual way out."""
    last = threading.Timer(2.0, _give_up)
    last.daemon = True
    last.start()
    raise KeyboardInterrupt


def _give_up() -> None:
    sys.stderr.write("Interrupted.\n")
    sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)


def main() -> None:
    """Runs the command line and ends the process."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        app()
    except SystemExit as ended:
        if ended.code == ExitCode.INTERRUPTED:
            sys.stdout.flush()
            sys.stderr.flush()
            # The interpreter would wait for every thread that still waits for an answer.
            os._exit(ExitCode.INTERRUPTED)
        raise

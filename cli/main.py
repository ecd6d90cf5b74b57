"""The `governor` command: every command module is registered here, one line each."""

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

"""How a function becomes a command: it is given a `Session`, the shared options, and exit codes for its errors."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, cast

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.output import ExitCode, Failure, Output
from cli.session import HOST_VARIABLE, STACK_VARIABLE, Options, Outside, Session, refused
from management_api import OpenRouterError

Host = Annotated[
    str | None,
    typer.Option(
        "--host", envvar=HOST_VARIABLE, metavar="HOST", rich_help_panel="OpenRouter",
        help="openrouter.ai (default), eu.openrouter.ai, us.openrouter.ai, or a URL.",
    ),
]  # fmt: skip
SecretId = Annotated[
    str | None,
    typer.Option(
        "--secret-id", metavar="NAME", rich_help_panel="OpenRouter",
        help="The secret in Secrets Manager that holds the management key as {\"api_key\": ...}.",
    ),
]  # fmt: skip
Region = Annotated[
    str | None,
    typer.Option(
        "--region", metavar="REGION", rich_help_panel="AWS", help="AWS region; without it, that of the AWS profile."
    ),
]  # fmt: skip
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack", envvar=STACK_VARIABLE, metavar="NAME", rich_help_panel="AWS", help="The deployed stack's name."
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_OPENROUTER = {"host": Host, "secret_id": SecretId, "region": Region}
_AWS = {"stack": Stack, "region": Region}


def command[**Given](
    app: typer.Typer, name: str, *, openrouter: bool = False, aws: bool = False
) -> Callable[[Callable[Concatenate[Session, Given], ExitCode | None]], Callable[..., None]]:
    """Registers `function(session, ...)` as a command of `app`; its docstring is the help, with an example.

    `openrouter`, `aws`: adds the options that say how to reach them; `--json` is always there. The function gives back
    its exit code (None: 0) or raises: `Failure`, an error of `management_api` or of botocore, and `KeyboardInterrupt`
    each end with the code and the advice that `cli.output` and `cli.session` document.
    """
    shared: dict[str, Any] = {**(_OPENROUTER if openrouter else {}), **(_AWS if aws else {})}

    def register(function: Callable[Concatenate[Session, Given], ExitCode | None]) -> Callable[..., None]:
        called: Callable[..., ExitCode | None] = function  # Typer gives every argument by its name

        @functools.wraps(function)
        def run(context: typer.Context, json: bool, **given: Any) -> None:
            options = Options(**{one: given.pop(one) for one in shared})
            outside = context.obj if isinstance(context.obj, Outside) else Outside()
            session = Session(Output(as_json=json), options, outside)
            try:
                code = _run(session, functools.partial(called, session, **given))
            finally:
                session.close()
            raise typer.Exit(code)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        kinds: dict[str, Any] = {"context": typer.Context, **{one.name: one.annotation for one in own}}
        kinds |= {**shared, "json": Json}
        defaults = {one.name: one.default for one in own}
        # Typer reads the options of a command from its signature.
        cast(Any, run).__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    one,
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=kind,
                    default=defaults.get(one, False if one == "json" else None) if one != "context" else inspect._empty,
                )
                for one, kind in kinds.items()
            ]
        )
        run.__annotations__ = kinds
        del run.__wrapped__  # else the wrapped function's own annotations are read
        app.command(name, help=_paragraphs(inspect.getdoc(function) or ""))(run)
        return run

    return register


def _paragraphs(text: str) -> str:
    """Each paragraph on one line: Typer keeps the line breaks of a docstring, which fit no terminal's width."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _run(session: Session, function: Callable[[], ExitCode | None]) -> ExitCode:
    try:
        return function() or ExitCode.OK
    except KeyboardInterrupt:
        session.out.message("Interrupted.")
        return ExitCode.INTERRUPTED
    except Failure as failure:
        return _failed(session, failure)
    except OpenRouterError as error:
        return _failed(session, refused(error, session.base_url))
    except (BotoCoreError, ClientError) as error:
        return _failed(session, _aws_refused(error))


def _failed(session: Session, failure: Failure) -> ExitCode:
    session.out.failure(failure)
    return failure.code


_PERMISSION = "Ask for the permission that the error names; docs/cli.md lists what each command reads."
_SIGN_IN = "Sign in to AWS (aws sso login, or AWS_PROFILE) as somebody who may do this."
_REACH = "Check the network and --region, then run the command again."
_AWS_FIXES = {
    # S3, STS and CloudFormation say it otherwise than the services that speak JSON.
    **dict.fromkeys(("AccessDenied", "AccessDeniedException"), _PERMISSION),
    **dict.fromkeys(
        (
            "NoCredentialsError", "PartialCredentialsError", "SSOTokenLoadError", "UnauthorizedSSOTokenError",
            "TokenRetrievalError", "CredentialRetrievalError", "ExpiredToken", "ExpiredTokenException",
            "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
        ),
        _SIGN_IN,
    ),
    **dict.fromkeys(
        ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"), _REACH
    ),
    "NoRegionError": "Give --region, or set AWS_REGION.",
    "ProfileNotFound": "Check AWS_PROFILE: ~/.aws/config has no such profile.",
    "ResourceNotFoundException": "Check the name, --region and the AWS account (aws sts get-caller-identity).",
}  # fmt: skip


def _aws_refused(error: Exception) -> Failure:
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else type(error).__name__
    fix = _AWS_FIXES.get(
        code, "Check the AWS credentials (aws sts get-caller-identity), --region and the network."
    )  # fmt: skip
    return Failure(f"AWS refused or could not be reached ({error})", fix=fix, code=ExitCode.FAR_SIDE)

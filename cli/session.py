"""How a command reaches OpenRouter and AWS: which host, under which key, and what is said when that does not work."""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from cli.output import ExitCode, Failure, Output
from cli.replay.asking import Asking, Pace
from governor.secrets import SecretMalformed, secret_field
from management_api import (
    AuthenticationFailed,
    NotFound,
    OpenRouter,
    OpenRouterError,
    ReadForbidden,
    Retry,
    WriteForbidden,
)

KEY_VARIABLE = "OPENROUTER_MANAGEMENT_KEY"
HOST_VARIABLE = "GOVERNOR_HOST"
STACK_VARIABLE = "GOVERNOR_STACK"
KEYS_PAGE = "https://openrouter.ai/settings/management-keys"
_REGIONS = {"": "openrouter.ai", "global": "openrouter.ai", "eu": "eu.openrouter.ai", "us": "us.openrouter.ai"}
_NEW_KEY = f"Create a management key at {KEYS_PAGE} and put it into {KEY_VARIABLE}, or into the secret of --secret-id."


def _aws_client(service: str, region: str | None) -> Any:
    import boto3  # half a second that most commands need not pay

    make: Any = boto3.client  # its overloads go by the service's literal name
    return make(service, region_name=region)


def _aws_credentials() -> Any:
    import boto3
    from botocore.exceptions import NoCredentialsError

    found = boto3.session.Session().get_credentials()
    if found is None:
        raise NoCredentialsError
    return found.get_frozen_credentials()


def _over_the_network(request: httpx.Request) -> httpx.Response:
    with httpx.Client(timeout=5) as client:
        return client.send(request)


@dataclass(frozen=True)
class Outside:
    """What lies beyond the process; tests give their own, as Typer's `obj`.

    `transport`: the way to OpenRouter, None for the network. `aws`: a boto3 client by service and region.
    `credentials`: those of the AWS profile, to sign with. `now`: the time, in UTC. `retry`: None for the client's own.
    `sleep`: lets so many seconds pass. `web`: answers one request to any place but OpenRouter.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    transport: httpx.BaseTransport | None = None
    aws: Callable[[str, str | None], Any] = _aws_client
    credentials: Callable[[], Any] = _aws_credentials
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    retry: Retry | None = None
    sleep: Callable[[float], None] = time.sleep
    web: Callable[[httpx.Request], httpx.Response] = _over_the_network


@dataclass(frozen=True)
class Options:
    """The options that commands share. A command that does not take one has None there."""

    host: str | None = None
    secret_id: str | None = None
    region: str | None = None
    stack: str | None = None


@dataclass
class Session:
    """One run of one command."""

    out: Output
    options: Options = Options()
    outside: Outside = field(default_factory=Outside)
    _client: OpenRouter | None = None
    _base_url: str = ""
    _opened: list[OpenRouter] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.outside.now()

    @property
    def base_url(self) -> str:
        """The API's address: that of the client, once there is one. Raises `Failure` for what is not a host."""
        return self._base_url or base_url(self.options.host or "")

    def aws(self, service: str) -> Any:
        """A boto3 client of the service, in `--region` or the profile's region."""
        return self.outside.aws(service, self.options.region)

    def openrouter(self, default_host: str | None = None) -> OpenRouter:
        """OpenRouter under the management key, which `GET /key` has shown to be one. One client a session.

        `default_host`: where --host was not given, such as the policy's `account.base_url`. Raises `Failure` for no
        key or a wrong one, and what `OpenRouter.current_key` raises.
        """
        if self._client is None:
            self._base_url = base_url(self.options.host or default_host or "")
            with self.out.progress("asking OpenRouter what the key may do"):
                client = self._connected(self._management_key(), self._base_url)
                current = client.current_key()
            if not current.is_management_key:
                raise Failure(
                    "The key is an inference key. It can call models, but not read the account",
                    fix=_NEW_KEY,
                    code=ExitCode.FAR_SIDE,
                )
            self._client = client
        return self._client

    def asking(self) -> Asking:
        """Asks OpenRouter's analytics, at the vendor's pace. Raises what `openrouter` raises."""
        retry = self.outside.retry
        return Asking(self.openrouter().analytics, Pace(sleep=retry.sleep) if retry else Pace())

    def close(self) -> None:
        """Closes the connections to OpenRouter. The session is over."""
        while self._opened:
            self._opened.pop().close()

    def _connected(self, key: SecretStr, url: str) -> OpenRouter:
        client = OpenRouter(key, base_url=url, transport=self.outside.transport, retry=self.outside.retry)
        self._opened.append(client)
        return client

    def _management_key(self) -> SecretStr:
        if self.options.secret_id:
            return self._stored_key(self.options.secret_id)
        key = self.outside.environment.get(KEY_VARIABLE, "").strip()
        if not key:
            raise Failure(
                f"There is no management key: the variable {KEY_VARIABLE} is empty and --secret-id was not given",
                fix=f"{_NEW_KEY} A read-only key is enough for every command that only reads.",
            )
        return SecretStr(key)

    def _stored_key(self, name: str) -> SecretStr:
        text = self.aws("secretsmanager").get_secret_value(SecretId=name).get("SecretString", "")
        try:
            return secret_field(name, text, "api_key")
        except SecretMalformed as error:
            raise Failure(str(error), fix='Store {"api_key": "..."} in it, with the management key.') from None


def base_url(host: str) -> str:
    """The API's address for `openrouter.ai`, `eu`, `us`, another host's name, or a whole URL. Raises `Failure`."""
    text = host.strip().rstrip("/")
    if text in _REGIONS:
        return f"https://{_REGIONS[text]}/api/v1"
    if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", text):
        return f"https://{text}/api/v1"
    # The policy's own rule for `account.base_url`: the key travels there.
    if re.fullmatch(r"(https://|http://localhost[:/])\S+", text):
        return text
    raise Failure(
        f"--host {host}: not a host of OpenRouter",
        fix="Give openrouter.ai, eu.openrouter.ai, us.openrouter.ai, or a URL that starts with https://.",
    )


def refused(error: OpenRouterError, url: str) -> Failure:
    """What a person is told of an error from OpenRouter's side."""
    code = ExitCode.FAR_SIDE
    if isinstance(error, ReadForbidden) or (error.status == 403 and not isinstance(error, WriteForbidden)):
        fix = (
            f"Use a management key of the whole organization ({KEYS_PAGE}): one that is limited to a workspace cannot "
            "read the others. If every call fails, the organization's IP allowlist does not name this machine "
            "(https://openrouter.ai/settings/security)."
        )
        return Failure(f"OpenRouter forbids this key to read ({error})", fix=fix, code=code)
    if isinstance(error, WriteForbidden):
        fix = f"Use a management key that may write and is not limited to another workspace ({KEYS_PAGE})."
        return Failure(
            f"OpenRouter forbids this key to write: it is most likely read-only ({error})", fix=fix, code=code
        )
    if isinstance(error, AuthenticationFailed):
        return Failure(f"OpenRouter does not accept the key ({error})", fix=_NEW_KEY, code=code)
    if error.status is None:
        fix = "Check the network and --host, then run the command again. Nothing was changed."
        return Failure(f"OpenRouter at {url} could not be reached ({error})", fix=fix, code=code)
    if isinstance(error, NotFound):
        fix = "Check --host: a URL must end in /api/v1, as https://eu.openrouter.ai/api/v1 does."
        return Failure(f"{url} is not OpenRouter's API, or lacks what was asked for ({error})", fix=fix, code=code)
    fix = "Run the command again in a while. If it stays so, see https://status.openrouter.ai."
    return Failure(f"OpenRouter at {url} did not answer as it should ({error})", fix=fix, code=code)

"""Where a workload's secret is kept beside its home: a Parameter Store SecureString, replicas in other regions."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from governor.secrets import SecretMalformed, SecretUnavailable
from governor.secrets.versions import WorkloadSecret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


class SecretCopies(Protocol):
    """Every method raises `SecretUnavailable` for a refusal, a throttle or a failure."""

    def parameter(self, name: str) -> WorkloadSecret | None:
        """What the parameter holds; None when there is no such parameter, or it holds something else."""

    def put_parameter(self, name: str, value: WorkloadSecret) -> None:
        """Writes over whatever it holds, as a SecureString."""

    def replicate(self, secret: str, region: str) -> None:
        """Asks Secrets Manager to keep a replica of the secret there from now on."""

    def current_in(self, secret: str, region: str) -> str | None:
        """The id of the version that is AWSCURRENT there; None when the region has no such secret yet."""


class AwsSecretCopies:
    """`SecretCopies` over SSM and Secrets Manager, shared by threads. `regional` makes a client of Secrets Manager for
    a region."""

    def __init__(
        self,
        parameters: "SSMClient",
        secrets: "SecretsManagerClient",
        regional: "Callable[[str], SecretsManagerClient]",
    ) -> None:
        self._parameters, self._secrets, self._regional = parameters, secrets, regional
        self._making = threading.Lock()

    def parameter(self, name: str) -> WorkloadSecret | None:
        answer = _asked(
            f"parameter {name}", lambda: self._parameters.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        )
        if answer is None or answer["Type"] != "SecureString":
            return None
        try:
            return WorkloadSecret.parse(name, answer["Value"])
        except SecretMalformed:
            return None

    def put_parameter(self, name: str, value: WorkloadSecret) -> None:
        _asked(
            f"parameter {name}",
            lambda: self._parameters.put_parameter(Name=name, Value=value.text(), Type="SecureString", Overwrite=True),
        )

    def replicate(self, secret: str, region: str) -> None:
        _asked(
            f"replica of {secret} in {region}",
            lambda: self._secrets.replicate_secret_to_regions(SecretId=secret, AddReplicaRegions=[{"Region": region}]),
        )

    def current_in(self, secret: str, region: str) -> str | None:
        with self._making:  # boto3's sessions, unlike its clients, are not made to be shared by threads
            there = self._regional(region)
        answer = _asked(f"replica of {secret} in {region}", lambda: there.describe_secret(SecretId=secret))
        stages = (answer or {}).get("VersionIdsToStages", {})
        return next((version for version, held in stages.items() if "AWSCURRENT" in held), None)


def _asked(what: str, call: Callable[[], Any]) -> Any:
    """None when there is no such thing. No error's text holds a value."""
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("ParameterNotFound", "ResourceNotFoundException"):
            return None
        raise SecretUnavailable(f"{what}: {error}") from error
    except BotoCoreError as error:
        raise SecretUnavailable(f"{what}: {error}") from error

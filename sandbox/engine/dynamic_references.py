"""CloudFormation's dynamic references to Secrets Manager: `{{resolve:secretsmanager:NAME:SecretString:KEY}}`.

Source: CloudFormation User Guide, "Get a secret or secret value from Secrets Manager".
"""

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.engine.errors import DeploymentFailed

_REFERENCE = re.compile(r"\{\{resolve:secretsmanager:([^:}]+):SecretString:([^:}]+)\}\}")


def resolved(value: Any, secret: Callable[[str], str], of: str) -> Any:
    """`value` with each reference replaced; `secret` gives a secret's text by name. Raises `DeploymentFailed`."""
    if isinstance(value, dict):
        return {key: resolved(item, secret, of) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, secret, of) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name, key = match.groups()
        try:
            return str(json.loads(secret(name))[key])
        except (KeyError, TypeError, ValueError) as error:
            raise DeploymentFailed(of, f"the secret {name} is not a JSON object with the key {key}") from error

    return _REFERENCE.sub(replace, value)

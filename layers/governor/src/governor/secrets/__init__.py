"""Secrets Manager.

`secrets_manager`, which reads, is re-exported here. `versions`: what rotation moves, a port; its adapter is
`secrets_manager_versions`. `copies`: where a secret is kept beside its home. `provider_secrets`: keys of providers.
"""

from governor.secrets.secrets_manager import (
    FieldAbsent,
    SecretMalformed,
    Secrets,
    SecretsManager,
    SecretUnavailable,
    secret_field,
)

__all__ = ["FieldAbsent", "SecretMalformed", "SecretUnavailable", "Secrets", "SecretsManager", "secret_field"]

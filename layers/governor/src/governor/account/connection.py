"""OpenRouter under the management key as it is now; its connection pool outlives a replaced key."""

from pydantic import SecretStr

from governor.secrets import Secrets
from management_api import Deadline, OpenRouter, Pace


class ManagedAccount:
    """The `Connect` port over Secrets Manager and OpenRouter. One per process. `pacing`: None sends at will."""

    def __init__(self, secrets: Secrets, secret: str, base_url: str, *, pacing: Pace | None = None) -> None:
        self._secrets = secrets
        self._secret = secret
        self._base_url = base_url
        self._pacing = pacing
        self._key: SecretStr | None = None
        self._client: OpenRouter | None = None

    def __call__(self, deadline: Deadline, *, fresh: bool = False) -> OpenRouter:
        """Raises what reading the secret raises, too."""
        key = self._secrets.field(self._secret, "api_key", fresh=fresh)
        if self._client is None:
            self._client = OpenRouter(key, base_url=self._base_url, pacing=self._pacing)
        elif key != self._key:
            self._client = self._client.with_key(key)
        self._key = key
        return self._client.within(deadline)

"""OpenRouter under the inference keys that workloads' secrets hold: each key's workspace decides what it sees."""

from pydantic import SecretStr

from governor.secrets import Secrets
from management_api import Deadline, OpenRouter, Pacing


class InferenceKeys:
    """Clients by the name of the secret, on one connection pool. One per process. `pacing`: None sends at will."""

    def __init__(self, secrets: Secrets, base_url: str, *, pacing: Pacing | None = None) -> None:
        self._secrets = secrets
        self._base_url = base_url
        self._pacing = pacing
        self._client: OpenRouter | None = None

    def __call__(self, secret: str, deadline: Deadline, *, fresh: bool = False) -> OpenRouter:
        """The client, every call of which ends by `deadline`. Raises what reading the secret raises."""
        key: SecretStr = self._secrets.field(secret, "api_key", fresh=fresh)
        if self._client is None:
            self._client = OpenRouter(key, base_url=self._base_url, pacing=self._pacing)
        return self._client.with_key(key).within(deadline)

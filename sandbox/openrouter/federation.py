"""Workload identity federation: which identity may act as which key, and the tokens that stand for it.

Source: https://openrouter.ai/docs/guides/overview/auth/workload-identity-federation. Policies are made by people in
Settings only.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class FederationPolicy:
    """Which JWT may act as which key. It names the key by its hash, and follows no rotation."""

    id: str
    key_hash: str
    issuer: str
    subject: str
    audience: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AccessToken:
    key_hash: str
    expires_at: float


@dataclass(slots=True)
class Federation:
    """The policies by id, and by their plaintext the tokens that were exchanged under them."""

    policies: dict[str, FederationPolicy] = field(default_factory=dict)
    tokens: dict[str, AccessToken] = field(default_factory=dict)

"""An identity provider's JWT is exchanged for a token that acts as an API key (RFC 8693, errors of RFC 6749).

Source: https://openrouter.ai/docs/guides/overview/auth/workload-identity-federation. Signatures are not verified here:
there is no issuer to ask for its keys.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from sandbox.openrouter.federation import AccessToken, FederationPolicy
from sandbox.openrouter.organization import Organization
from sandbox.openrouter.refusals import Refusal

LIFETIME = 900.0
"""Seconds that an access token lives at most; never longer than the JWT that was exchanged for it."""
MOST_BYTES = 32 * 1024
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class Unexchanged(Refusal):
    """An error in the form of RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, description)
        self.error = error

    def body(self) -> dict[str, Any]:
        return {"error": self.error, "error_description": self.message}


def exchange(organization: Organization, form: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a token exchange. Raises `Unexchanged`; one message covers all that may be wrong with a JWT."""
    if form.get("grant_type") != GRANT:
        raise Unexchanged(400, "unsupported_grant_type", "grant_type must be the token exchange grant")
    if form.get("scope", "inference") != "inference":
        raise Unexchanged(400, "invalid_scope", "only the scope inference is available")
    if form.get("subject_token_type") != JWT or form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise Unexchanged(400, "invalid_request", "a token type is missing or not supported")
    claims = _claims(form.get("subject_token", ""))
    policy = organization.federation.policies.get(form.get("federation_policy_id", ""))
    now = organization.now
    if policy is None or not _fits(policy, claims, now):
        raise Unexchanged(400, "invalid_grant", "The token was not accepted")
    expires_at = min(now + LIFETIME, float(claims["exp"]))
    token = f"fake-access-token-{organization.ids.trace()}"
    organization.federation.tokens[token] = AccessToken(policy.key_hash, expires_at)
    return {
        "access_token": token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": int(expires_at - now),
        "scope": "inference",
    }


def _claims(jwt: str) -> dict[str, Any]:
    parts = jwt.split(".")
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (ValueError, binascii.Error) as error:
        raise Unexchanged(400, "invalid_request", "subject_token is not a JWT") from error
    if len(parts) != 3 or not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unexchanged(400, "invalid_request", "subject_token is not a JWT")
    return {**claims, "alg": header.get("alg")}


def _fits(policy: FederationPolicy, claims: Mapping[str, Any], now: float) -> bool:
    audiences = claims.get("aud")
    named = audiences if isinstance(audiences, list) else [audiences]
    expiry = claims.get("exp")
    return (
        policy.enabled
        and claims["alg"] in ("ES256", "RS256")
        and (claims.get("iss"), claims.get("sub")) == (policy.issuer, policy.subject)
        and policy.audience in named
        and isinstance(expiry, int | float)
        and expiry > now
    )

"""Takes credentials out of text, whoever put them there: people paste keys into commands, reasons, names and policies.

Both layers use this one list of shapes. It imports the standard library only, because `slack_gateway` must answer
within Slack's three seconds from a cold start. A credential without a shape of its own (an AWS secret access key, a
Cohere key) is recognized only behind a name such as `password=` or `Bearer`. What is a hash is kept: 64 hexadecimal
digits alone name a key at OpenRouter and open nothing.

The shapes are those that the vendors document or that public secret scanners agree on.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
"""What stands in a text where a credential was."""

_SHAPES = (
    r"sk-(?:or|ant|proj|svcacct|admin|lf)-[\w.\-]{6,}",  # OpenRouter, Anthropic, OpenAI
    r"sk-(?=[\w\-]*\d)[\w\-]{16,}",  # OpenAI's older keys, DeepSeek, and whoever imitates them
    # Groq, xAI, Hugging Face, Replicate, Perplexity, Fireworks, Cerebras, Together, OpenAI's sessions; NVIDIA
    r"(?:gsk_|xai-|hf_|r8_|pplx-|fw_|csk-|tgp_v\d_|sess-)[A-Za-z0-9_]{20,}|nvapi-[\w\-]{20,}",
    r"AIza[\w\-]{20,}|ya29\.[\w.\-]{16,}|GOCSPX-[\w\-]{16,}",  # Google: API keys, access tokens, client secrets
    r"xox[a-z](?:\.[a-z]+)?-[\w.\-]{6,}|xapp-[\w\-]{10,}",  # Slack: tokens of every kind
    r"hooks\.slack\.com/(?:services|workflows|triggers|commands|actions)/[\w/\-]{10,}",  # Slack: URLs that are secrets
    r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}|ABSK[\w+/=]{20,}",  # AWS: access key ids, Bedrock API keys
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w\-]{16,}",  # GitHub, GitLab
    r"eyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?",  # JSON Web Tokens: what OpenRouter's federation takes and gives
)
_SHAPED = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_SHAPES)})")
_NAMED = re.compile(
    r"(?i)(\bbearer\s+|(?:api[_-]?key|secret[_-]?access[_-]?key|signing[_-]?secret|(?:access|bot)[_-]?token|password)"
    r"[\"']?\s*[=:]\s*[\"']?)(?![0-9a-f]{64}\b)[\w+/=.\-]{16,}"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def redact(text: str) -> str:
    """`text` with `REDACTED` in the place of whatever has a credential's shape; the same text where nothing has."""
    text = _PRIVATE_KEY.sub(REDACTED, text)
    return _NAMED.sub(rf"\1{REDACTED}", _SHAPED.sub(REDACTED, text))


def redact_all(value: Any) -> Any:
    """A JSON value with every text in it redacted, the members' names included. Raises `RecursionError` when it is
    nested deeper than Python's stack."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(name) if isinstance(name, str) else name: redact_all(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [redact_all(one) for one in value]
    return value

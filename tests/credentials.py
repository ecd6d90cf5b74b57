"""Made-up credentials in the shapes that people paste, put together at run time: none stands in the tree as a whole."""

import hashlib
import string
from collections.abc import Mapping

HEX = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_DIGITS = string.ascii_letters + string.digits


def _letters(kind: str, count: int) -> str:
    """Letters and digits that are the kind's own, always the same."""
    drawn = (hashlib.sha512(f"{kind} {number}".encode()).digest() for number in range(2))
    return "".join(_DIGITS[byte % len(_DIGITS)] for block in drawn for byte in block)[:count]


PASTED: Mapping[str, str] = {
    "openrouter": "sk-" + "or-v1-" + HEX * 2,
    "openrouter management": "sk-" + "or-v1-" + HEX[::-1] * 2,
    "anthropic": "sk-" + "ant-api03-" + _letters("anthropic", 60) + "-_" + _letters("anthropic", 30),
    "openai project": "sk-" + "proj-" + _letters("openai project", 48),
    "openai service account": "sk-" + "svcacct-" + _letters("openai service account", 57),
    "openai legacy": "sk-" + _letters("openai legacy", 48),
    "google": "AI" + "za" + _letters("google", 35),
    "google oauth": "ya" + "29." + _letters("google oauth", 60),
    "groq": "gsk" + "_" + _letters("groq", 52),
    "xai": "xai" + "-" + _letters("xai", 80),
    "hugging face": "hf" + "_" + _letters("hugging face", 34),
    "replicate": "r8" + "_" + _letters("replicate", 37),
    "perplexity": "pp" + "lx-" + _letters("perplexity", 48),
    "fireworks": "fw" + "_" + _letters("fireworks", 22),
    "cerebras": "cs" + "k-" + _letters("cerebras", 48),
    "nvidia": "nv" + "api-" + _letters("nvidia", 40) + "-_" + _letters("nvidia", 22),
    "slack bot": "xox" + "b-" + "123456789012-" + "123456789012-" + _letters("slack bot", 24),
    "slack app": "xa" + "pp-1-A012-3456-" + HEX * 2,
    "slack webhook": "https://hooks.slack.com/" + "services/T0FAKE/B0FAKE/" + _letters("slack webhook", 24),
    "aws access key id": "AK" + "IA" + _letters("aws access key id", 16).upper(),
    "aws temporary": "AS" + "IA" + _letters("aws temporary", 16).upper(),
    "aws bedrock": "AB" + "SK" + _letters("aws bedrock", 60),
    "aws secret, named": "aws_secret_access_key=" + _letters("aws secret, named", 35) + "/+9aZ",
    "slack signing secret, named": "signing_secret: " + HEX,
    "bearer": "Authorization: Bearer " + _letters("bearer", 40),
    "github": "gh" + "p_" + _letters("github", 36),
    "github, fine-grained": "git" + "hub_pat_" + _letters("github", 22) + "_" + _letters("github, fine-grained", 59),
    "gitlab": "gl" + "pat-" + _letters("gitlab", 20),
    "json web token": "ey" + "JhbGciOiJSUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + _letters("json web token", 43),
    "private key": "-----BEGIN " + "PRIVATE KEY-----\n" + _letters("private key", 60) + "\n-----END PRIVATE KEY-----",
}
"""By what it opens. The named ones have no shape: they are recognized by what stands before them."""


def core(pasted: str) -> str:
    """The part of a pasted credential whose appearance anywhere is a leak."""
    return max(pasted.replace("\n", " ").replace("=", " ").split(" "), key=len)[-20:]

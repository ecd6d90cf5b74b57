"""Made-up credentials in the shapes that people paste, put together at run time: none stands in the tree as a whole."""

import string
from collections.abc import Mapping

HEX = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
LETTERS = (string.ascii_letters + string.digits) * 2
PASTED: Mapping[str, str] = {
    "openrouter": "sk-" + "or-v1-" + HEX * 2,
    "openrouter management": "sk-" + "or-v1-" + HEX[::-1] * 2,
    "anthropic": "sk-" + "ant-api03-" + LETTERS[:60] + "-_" + LETTERS[:30],
    "openai project": "sk-" + "proj-" + LETTERS[:48],
    "openai service account": "sk-" + "svcacct-" + LETTERS[3:60],
    "openai legacy": "sk-" + LETTERS[40:88],
    "google": "AI" + "za" + LETTERS[:35],
    "google oauth": "ya" + "29." + LETTERS[:60],
    "groq": "gsk" + "_" + LETTERS[:52],
    "xai": "xai" + "-" + LETTERS[:80],
    "hugging face": "hf" + "_" + LETTERS[:34],
    "slack bot": "xox" + "b-" + "123456789012-" + "123456789012-" + LETTERS[:24],
    "slack app": "xa" + "pp-1-A012-3456-" + HEX * 2,
    "slack webhook": "https://hooks.slack.com/" + "services/T0FAKE/B0FAKE/" + LETTERS[:24],
    "aws access key id": "AK" + "IA" + "QWERTYUIOPASDFGH",
    "aws temporary": "AS" + "IA" + "QWERTYUIOPASDFGH",
    "aws bedrock": "AB" + "SK" + LETTERS[:60],
    "aws secret, named": "aws_secret_access_key=" + LETTERS[10:45] + "/+9aZ",
    "slack signing secret, named": "signing_secret: " + HEX,
    "bearer": "Authorization: Bearer " + LETTERS[:40],
    "github": "gh" + "p_" + LETTERS[:36],
    "json web token": "ey" + "JhbGciOiJSUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + LETTERS[:43],
    "private key": "-----BEGIN " + "PRIVATE KEY-----\n" + LETTERS[:60] + "\n-----END PRIVATE KEY-----",
}
"""By what it opens. The named ones have no shape: they are recognized by what stands before them."""


def core(pasted: str) -> str:
    """The part of a pasted credential whose appearance anywhere is a leak."""
    return max(pasted.replace("\n", " ").replace("=", " ").split(" "), key=len)[-20:]

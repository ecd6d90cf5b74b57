"""`/oauth/token`: the exchange of an identity provider's JWT for a token of ours. The body is a form, not JSON."""

from typing import Any
from urllib.parse import parse_qsl

from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.token_exchange import MOST_BYTES, Unexchanged, exchange

routes = Routes("public")


@routes.add("POST", "/oauth/token")
def exchange_token(call: Call) -> dict[str, Any]:
    if len(call.raw) > MOST_BYTES:
        raise Unexchanged(413, "invalid_request", "the body is larger than 32 KB")
    return exchange(call.organization, dict(parse_qsl(call.raw.decode("utf-8", "replace"))))

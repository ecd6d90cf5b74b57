"""What keeps a good key out, told by the simulator as the vendor's guides say, and what our client makes of it."""

import base64
import json
from typing import Any

import openrouter
import pytest

from management_api import KeyPatch, NotFound, ReadForbidden, Rejected, WriteForbidden
from tests.contract.management_api.conftest import MIDDAY, Both

HELLO: list[Any] = [{"role": "user", "content": "hi"}]


def test_an_ip_allowlist_is_named_for_a_management_read_and_a_write_and_is_not_taken_for_a_wrong_key(
    both: Both,
) -> None:
    key = both.hash("prod-triage")
    inference, _ = both.as_key("prod-triage")
    both.simulator.allow_addresses("203.0.113.0/24")
    with pytest.raises(ReadForbidden, match="IP allowlist"):
        both.ours.workspaces.list()
    with pytest.raises(WriteForbidden, match="IP allowlist"):
        both.ours.keys.update(key, KeyPatch(disabled=True))
    with pytest.raises(Rejected) as refused:
        inference.current_key()
    assert refused.value.status == 403
    both.simulator.allow_addresses()
    assert not both.ours.keys.get(key).disabled


def test_an_account_read_under_an_allowlist_is_unknown_and_not_empty(both: Both) -> None:
    places = [one.id for one in both.ours.workspaces.list()]
    both.simulator.allow_addresses("203.0.113.0/24")
    readings = both.ours.read_account(places)
    assert {type(reading.error) for reading in readings.values()} == {ReadForbidden}  # type: ignore[union-attr]


def test_a_key_that_a_limited_management_key_may_not_see_is_not_called_gone(both: Both) -> None:
    both.simulator.restrict_management(workspace="production")
    assert [one.slug for one in both.ours.workspaces.list()] == ["production"]
    with pytest.raises(ReadForbidden, match="limited to") as refused:
        both.ours.keys.get(both.hash("dev-notebook"))
    assert not isinstance(refused.value, NotFound)
    with pytest.raises(WriteForbidden, match="limited to another workspace"):
        both.ours.keys.delete(both.hash("dev-notebook"))
    assert both.ours.keys.get(both.hash("prod-triage")).name == "prod-triage"


def test_the_vendors_client_exchanges_a_token_that_acts_as_the_key(both: Both) -> None:
    key = both.hash("prod-triage")
    policy = both.simulator.federate(key, issuer="https://idp.example", subject="agent", audience="openrouter")
    claims = {"iss": policy.issuer, "sub": policy.subject, "aud": policy.audience, "exp": MIDDAY + 3600}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "RS256"}, claims)]
    answer = both.theirs.o_auth.create_oauth_token(
        federation_policy_id=policy.id,
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=".".join([*parts, "unsigned"]),
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
    )
    theirs = openrouter.OpenRouter(api_key=answer.access_token, server_url=both.base_url)
    theirs.chat.send(model="anthropic/claude-haiku-4.5", messages=HELLO)
    assert both.ours.keys.get(key).last_used_at is not None
    both.ours.keys.update(key, KeyPatch(disabled=True))
    with pytest.raises(Exception, match="disabled"):
        theirs.chat.send(model="anthropic/claude-haiku-4.5", messages=HELLO)

"""Who is let in: the IP allowlist, management keys of one workspace, and workload identity federation."""

import base64
import json

import pytest

from sandbox.openrouter.token_exchange import GRANT, JWT
from tests.unit.sandbox_openrouter.conftest import NOW

ISSUER, SUBJECT, AUDIENCE = "https://idp.example", "system:agent", "https://openrouter.ai"


def test_an_ip_allowlist_refuses_every_key_from_elsewhere_and_public_pages_stay_open(simulator, api, key):
    simulator.allow_addresses("203.0.113.0/24", "2001:db8::/32")
    for call in (api.get("/keys"), api.get("/key", key=key[1]), api.chat(key[1])):
        assert (call.status_code, call.json()["error"]["metadata"]["error_type"]) == (403, "permission_denied")
    assert api.get("/models", key=None).status_code == 200
    simulator.allow_addresses("127.0.0.0/8")
    assert api.get("/keys").status_code == 200
    simulator.allow_addresses()
    assert api.get("/keys").status_code == 200


@pytest.fixture
def elsewhere(simulator, api):
    """A key, a guardrail, a credential and a destination of a workspace that is not the management key's."""
    place = simulator.organization.create_workspace("Research", "research", is_observability_broadcast_enabled=True).id
    key, _ = simulator.create_key("there", workspace=place)
    body = {"workspace_id": place}
    guard = api.post("/guardrails", {"name": "rules", **body}).json()["data"]["id"]
    assert api.post(f"/guardrails/{guard}/assignments/keys", {"key_hashes": [key.hash]}).status_code == 200
    credential = api.post("/byok", {"provider": "anthropic", "key": "fake-raw", **body}).json()["data"]["id"]
    sink = {"type": "webhook", "name": "sink", "config": {"url": "http://sink.example"}, **body}
    destination = api.post("/observability/destinations", sink).json()["data"]["id"]
    simulator.restrict_management(workspace="default")
    return [
        f"/keys/{key.hash}",
        f"/guardrails/{guard}",
        f"/byok/{credential}",
        f"/observability/destinations/{destination}",
        f"/workspaces/{place}",
    ]


def test_a_management_key_of_one_workspace_reads_changes_and_deletes_nothing_of_another(simulator, api, elsewhere):
    before = json.dumps(simulator.state())
    for path in elsewhere:
        assert [api.get(path).status_code, api.patch(path, {"name": "mine"}).status_code] == [403, 403], path
        assert api.delete(path).status_code == 403, path
    assert api.get(f"{elsewhere[4]}/budgets").status_code == 403
    assert api.put(f"{elsewhere[4]}/budgets/daily", {"limit_usd": 5}).status_code == 403
    hashes = {"key_hashes": [elsewhere[0].removeprefix("/keys/")]}
    assert api.post(f"{elsewhere[1]}/assignments/keys/remove", hashes).status_code == 403
    assert json.dumps(simulator.state()) == before


def test_a_management_key_of_one_workspace_is_refused_the_lists_of_another_and_sees_its_own_only(api, elsewhere):
    other = elsewhere[4].removeprefix("/workspaces/")
    for path in ("/keys", "/guardrails", "/byok", "/observability/destinations", "/presets"):
        assert api.get(f"{path}?workspace_id={other}").status_code == 403, path
        assert api.get(path).json()["data"] == [], path
    assert [each["slug"] for each in api.get("/workspaces").json()["data"]] == ["default"]
    assert api.get("/guardrails/assignments/keys").json()["data"] == []
    for path, body in (("/keys", {"name": "k"}), ("/guardrails", {"name": "g"})):
        assert api.post(path, {**body, "workspace_id": other}).status_code == 403
        assert api.post(path, body).status_code == 201


def jwt(**claims):
    """Signed by nobody: the simulator has no issuer to ask for its keys."""
    parts = ({"alg": "ES256"}, {"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "exp": NOW + 3600, **claims})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "unsigned"])


@pytest.fixture
def policy(simulator, key):
    return simulator.federate(key[0].hash, issuer=ISSUER, subject=SUBJECT, audience=AUDIENCE)


@pytest.fixture
def exchanged(api, policy):
    def exchange(**changes):
        form = {
            "grant_type": GRANT, "subject_token_type": JWT, "subject_token": jwt(), "federation_policy_id": policy.id,
            **changes,
        }  # fmt: skip
        return api.call("POST", "/oauth/token", key=None, data=form)

    return exchange


def test_a_token_acts_as_the_key_for_a_quarter_of_an_hour(simulator, api, key, exchanged):
    answer = exchanged().json()
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 900, "inference")
    token = answer["access_token"]
    assert api.chat(token).status_code == 200
    assert key[0].meter.usage > 0
    assert key[0].last_used_at == NOW
    assert api.get("/keys", key=token).status_code == 401
    simulator.clock.set(NOW + 900)
    assert api.chat(token).status_code == 401


def test_a_token_lives_no_longer_than_the_jwt(exchanged):
    assert exchanged(subject_token=jwt(exp=NOW + 60)).json()["expires_in"] == 60


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"scope": "management"}, 400, "invalid_scope"),
        ({"subject_token": "none"}, 400, "invalid_request"),
        ({"subject_token_type": "none"}, 400, "invalid_request"),
        ({"federation_policy_id": "none"}, 400, "invalid_grant"),
        ({"subject_token": jwt(sub="somebody")}, 400, "invalid_grant"),
        ({"subject_token": jwt(aud="elsewhere")}, 400, "invalid_grant"),
        ({"subject_token": jwt(iss="https://other.example")}, 400, "invalid_grant"),
        ({"subject_token": jwt(exp=NOW)}, 400, "invalid_grant"),
        ({"subject_token": "x" * 33_000}, 413, "invalid_request"),
    ],
)
def test_an_exchange_is_refused_in_the_form_of_rfc_6749(exchanged, changes, status, error):
    answer = exchanged(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_paused_policy_ends_new_exchanges_and_the_disabled_key_its_tokens(api, key, policy, exchanged):
    token = exchanged().json()["access_token"]
    policy.enabled = False
    assert exchanged().status_code == 400
    assert api.chat(token).status_code == 200
    key[0].disabled = True
    assert api.chat(token).status_code == 401


def test_a_policy_goes_on_targeting_the_key_that_was_replaced(simulator, api, key, exchanged):
    """What no API tells, and why a drain of such a key waits for a person (decision 25)."""
    new, _ = simulator.create_key("prod-search-agent")
    assert api.chat(exchanged().json()["access_token"]).status_code == 200
    assert (key[0].last_used_at, new.last_used_at) == (NOW, None)

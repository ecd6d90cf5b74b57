"""Where a token stands in the contract, and which lineages get no new key."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from governor.events import BadEvent
from governor.keys.causes import CauseRow, Causes
from governor.keys.lineage import Lineage, LineageKey
from governor.policy import Workload
from governor.secrets.versions import SecretState
from key_rotation.decide import Facts, decide, stand, why
from key_rotation.settings import received
from management_api import ApiKey, Workspace

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[3] / "events" / "key_rotation"


def secret(enabled: bool = True, **stages: set[str]) -> SecretState:
    return SecretState("arn", "openrouter/agent", enabled, {id: frozenset(held) for id, held in stages.items()})


def test_the_contracts_edges_are_told_apart() -> None:
    assert stand(secret(False, t={"AWSPENDING"}), "t").rule == "rotation_cancelled"
    assert stand(secret(a={"AWSCURRENT"}), "t").rule == "unknown_token"
    assert stand(secret(t={"AWSCURRENT", "AWSPENDING"}), "t").rule == "current"
    assert stand(secret(t=set(), b={"AWSPENDING"}), "t").rule == "not_pending"
    assert stand(secret(t={"AWSPENDING"}), "t").rule == "go"


def api_key(**more: Any) -> ApiKey:
    counters = {
        f"{kind}{period}": 0.0 for kind in ("usage", "byok_usage") for period in ("", "_daily", "_weekly", "_monthly")
    }
    fields = {
        "hash": "a" * 64, "name": "prod-agent", "disabled": False, "limit": None, "limit_reset": None,
        "include_byok_in_limit": False, "created_at": NOW, "workspace_id": "w",
    }  # fmt: skip
    return ApiKey(**{**fields, **counters, **more})


def facts(*keys: ApiKey, causes: Causes | None = None, known: bool = True, **more: Any) -> Facts:
    workload = Workload.model_validate(
        {"name": "prod-agent", "workspace": "w", "owner": {"slack": "U0OWNER"}, "secret": "openrouter/agent", **more}
    )
    place = Workspace(id="w", name="w", slug="w", created_at=NOW)
    held = (LineageKey(keys[0].hash, keys[0].name, "current", NOW),) if known and keys else ()
    return Facts(workload, [place], [], keys, Lineage("prod-agent", held), causes or Causes())


def test_a_rotation_revives_nothing_and_widens_nothing() -> None:
    runaway = Causes({"runaway": CauseRow("prod-agent", "runaway", "disabled", "t", ("a" * 64,), NOW)})
    exposed = Causes({"exposed": CauseRow("prod-agent", "exposed", "disabled", "t", ("a" * 64,), NOW)})
    assert decide(facts(api_key(disabled=True), causes=runaway)).rule == "lineage_disabled"
    assert decide(facts(api_key(disabled=True), causes=exposed)).rule == "go"
    assert why(Lineage("prod-agent"), exposed) == "exposed"
    assert decide(facts(api_key(disabled=True))).rule == "foreign"
    assert decide(facts(api_key(limit=50.0))).rule == "cap_undeclared"
    assert decide(facts(api_key(limit=50.0), key={"limit_usd": 50})).rule == "go"


def test_what_the_policy_names_and_the_account_lacks_is_refused_by_name() -> None:
    assert decide(facts(api_key(), workspace="elsewhere")).rule == "workspace_missing"
    assert decide(facts(api_key(), key={"guardrail": "strict"})).rule == "guardrail_missing"
    twins = facts(api_key(), api_key(hash="b" * 64), known=False)
    assert decide(twins).rule == "key_ambiguous"


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_is_understood(sample: Path) -> None:
    assert received(json.loads(sample.read_text())).name


def test_an_event_that_is_no_step_is_refused_by_field() -> None:
    with pytest.raises(BadEvent, match="Step"):
        received({"Step": "rotateSecret", "SecretId": "a", "ClientRequestToken": "b"})

"""Our client and the vendor's SDK, asked the same of one organization, agree on every field that we read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from openrouter.operations import Filter
from pydantic import BaseModel, SecretStr, TypeAdapter

from management_api import (
    AnalyticsFilter,
    AnalyticsQuery,
    ByokPatch,
    DestinationPatch,
    Dimension,
    External,
    GuardrailPatch,
    KeyPatch,
    Metric,
    NewByok,
    NewDestination,
    NewGuardrail,
    NewKey,
    Rejected,
    TimeRange,
    WorkspacePatch,
    number,
)
from tests.contract.management_api.conftest import MIDDAY, Both

# The SDK marks its own deprecated fields, and its pagination leans on a parser older than Python 3.13.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:ast\.:DeprecationWarning"),
]

MODEL = "anthropic/claude-haiku-4.5"
CHAT: dict[str, Any] = {
    "model": MODEL, "max_tokens": 16, "messages": [{"role": "system", "content": "Be brief."},
                                                   {"role": "user", "content": "Where is order 7?"}],
}  # fmt: skip


def plain(value: Any) -> Any:
    """JSON values, with every instant and every number in one form."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json", by_alias=True))
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    return _instant(value) if isinstance(value, str) else value


def _instant(text: str) -> Any:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat() if len(text) > 18 else _number(text)
    except ValueError:
        return text


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where `ours` says something else than `theirs`. A field they leave out, we may hold only as nothing."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            difference
            for name, value in ours.items()
            for difference in (
                differences(value, theirs[name], f"{path}.{name}")
                if name in theirs
                else [f"{path}.{name}: {value!r} out of nothing"] * bool(value)
            )
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(ours, theirs, strict=True)
        return [each for at, pair in enumerate(pairs) for each in differences(*pair, f"{path}[{at}]")]
    return [] if ours == theirs else [f"{path}: ours {ours!r}, theirs {theirs!r}"]


def assert_agree(ours: Any, theirs: Any) -> None:
    mine = [whole(item) for item in ours] if isinstance(ours, list) else whole(ours)
    assert mine
    assert differences(mine, plain(theirs)) == []


def whole(item: Any) -> Any:
    return plain(TypeAdapter(type(item)).dump_python(item, mode="json"))


def rows(page: Any) -> Any:
    """The items of the SDK's first page; it types every page as perhaps absent."""
    return page.result.data


def test_on_keys(both: Both) -> None:
    for slug in ("default", "production"):
        workspace = both.workspace(slug)
        theirs = both.theirs.api_keys.list(workspace_id=workspace, include_disabled=True, include_expired=True)
        assert_agree(both.ours.keys.list(workspace), theirs.data)
    found = both.hash("prod-search-agent")
    assert_agree(both.ours.keys.get(found), both.theirs.api_keys.get(hash=found).data)


def test_on_disabled_and_expired_keys(both: Both) -> None:
    workspace = both.workspace("production")
    both.ours.keys.update(both.hash("prod-triage"), KeyPatch(disabled=True))
    both.simulator.clock.set(MIDDAY + 365 * 86_400)
    theirs = both.theirs.api_keys.list(workspace_id=workspace, include_disabled=True, include_expired=True)
    ours = both.ours.keys.list(workspace)
    assert len(ours) == 2
    assert_agree(ours, theirs.data)


def test_on_the_current_key_and_its_budgets(both: Both) -> None:
    ours, theirs = both.as_key("prod-search-agent")
    current = ours.current_key()
    assert current.effective_budget is not None
    assert current.effective_budget.remaining_usd == 7.5  # the guardrail's 20 a day, 12.5 of it spent
    assert_agree(current, theirs.api_keys.get_current_key_metadata().data)


def test_on_workspaces_and_their_budgets(both: Both) -> None:
    assert_agree(both.ours.workspaces.list(), rows(both.theirs.workspaces.list()))
    production = both.workspace("production")
    assert_agree(both.ours.workspaces.get(production), both.theirs.workspaces.get(id=production).data)
    assert_agree(
        both.ours.workspaces.budgets(production), both.theirs.workspaces.list_budgets(workspace_ref=production)
    )
    assert both.ours.workspaces.set_budget(production, "weekly", 120, include_byok=True).limit_usd == 120
    budgets = both.ours.workspaces.budgets(production)
    assert sorted(budget.limit_usd for budget in budgets.data) == [50, 120, 400]
    assert budgets.include_byok_in_budgets is True
    assert_agree(budgets, both.theirs.workspaces.list_budgets(workspace_ref=production))
    both.ours.workspaces.delete_budget(production, "weekly")
    assert len(both.ours.workspaces.budgets(production).data) == 2
    patched = both.ours.workspaces.update(production, WorkspacePatch(description="what customers touch"))
    assert_agree(patched, both.theirs.workspaces.get(id=production).data)


def test_on_guardrails_and_assignments(both: Both) -> None:
    theirs, production = both.theirs.guardrails, both.workspace("production")
    assert_agree(both.ours.guardrails.list(production), rows(theirs.list(workspace_id=production)))
    assert_agree(both.ours.guardrails.assignments(), rows(theirs.list_key_assignments()))
    made = both.ours.guardrails.create(NewGuardrail(name="strict", limit_usd=1, reset_interval="daily"))
    assert_agree(made, theirs.get(id=made.id).data)
    both.ours.guardrails.assign(made.id, [both.hash("prod-triage"), both.hash("prod-search-agent")])
    held = {each.key_name: each.guardrail_id for each in both.ours.guardrails.assignments()}
    assert held == {"prod-triage": made.id, "prod-search-agent": made.id}
    assert_agree(both.ours.guardrails.assignments(), rows(theirs.list_key_assignments()))
    assert_agree(both.ours.guardrails.assigned(made.id), rows(theirs.list_guardrail_key_assignments(id=made.id)))
    both.ours.guardrails.unassign(made.id, [both.hash("prod-triage")])
    assert len(both.ours.guardrails.assignments()) == 1
    assert both.ours.guardrails.update(made.id, GuardrailPatch(limit_usd=None)).limit_usd is None
    assert_agree(both.ours.guardrails.get(made.id), theirs.get(id=made.id).data)
    both.ours.guardrails.delete(made.id)
    assert both.ours.guardrails.list() == []  # the default workspace alone


def test_on_members_their_guardrails_and_their_keys(both: Both) -> None:
    theirs, ours = both.theirs.guardrails, both.ours
    assert_agree(ours.organization.members(), rows(both.theirs.organization.list_members()))
    made = ours.guardrails.create(NewGuardrail(name="people", limit_usd=5, reset_interval="daily"))
    ours.guardrails.assign_members(made.id, ["user_fake_ana"])
    assert_agree(ours.guardrails.member_assignments(), rows(theirs.list_member_assignments()))
    created = ours.keys.create(NewKey(name="hers", creator_user_id="user_fake_ana", external=External(user="tenant-7")))
    assert (created.key.creator_user_id, created.key.external_user) == ("user_fake_ana", "tenant-7")
    assert_agree(ours.keys.get(created.key.hash), both.theirs.api_keys.get(hash=created.key.hash).data)
    assert [one.scope for one in ours.with_key(created.plaintext).current_key().budgets] == ["member"]
    nobodys = both.theirs.api_keys.create(name="nobody's", external={"user": "tenant-8"})
    assert (nobodys.data.creator_user_id, nobodys.data.external_user) == (None, "tenant-8")
    ours.guardrails.unassign_members(made.id, ["user_fake_ana"])
    assert ours.guardrails.member_assignments() == []
    with pytest.raises(Rejected):
        ours.keys.create(NewKey(name="gone", creator_user_id="user_fake_gone"))


def test_on_byok_credentials(both: Both) -> None:
    assert_agree(both.ours.byok.list(), rows(both.theirs.byok.list()))
    made = both.ours.byok.create(
        NewByok(provider="mistral", key=SecretStr("fake-3"), workspace_id=both.workspace("production"), name="spare")
    )
    assert_agree(made, both.theirs.byok.get(id=made.id).data)
    only = both.hash("prod-triage")
    patched = both.ours.byok.update(made.id, ByokPatch(key=SecretStr("fake-4"), allowed_api_key_hashes=[only]))
    assert patched.allowed_api_key_hashes == [only]
    assert_agree(both.ours.byok.get(made.id), both.theirs.byok.get(id=made.id).data)
    assert both.ours.byok.update(made.id, ByokPatch(allowed_api_key_hashes=None)).allowed_api_key_hashes is None
    both.ours.byok.delete(made.id)
    assert [each.provider for each in both.ours.byok.list(provider="mistral")] == []


def test_on_observability_destinations(both: Both) -> None:
    both.ours.workspaces.update(both.workspace("production"), WorkspacePatch(is_observability_broadcast_enabled=True))
    made = both.ours.destinations.create(
        NewDestination(
            type="webhook",
            name="tap",
            workspace_id=both.workspace("production"),
            config={"url": "http://localhost:9/tap", "headers": {"X-Token": SecretStr("fake")}},
            privacy_mode=True,
            enabled=False,
        )
    )
    assert_agree(made, both.theirs.observability.get(id=made.id).data)
    both.ours.destinations.update(made.id, DestinationPatch(sampling_rate=0.5))
    listed = both.ours.destinations.list(both.workspace("production"))
    assert listed[0].sampling_rate == 0.5
    assert_agree(listed, rows(both.theirs.observability.list(workspace_id=both.workspace("production"))))
    both.ours.destinations.delete(made.id)
    assert both.ours.destinations.list(both.workspace("production")) == []


MONEY = {Metric.TOTAL_USAGE, Metric.CREDITS_USAGE, Metric.BYOK_USAGE}


def test_every_metric_and_dimension_that_the_product_asks_for_is_one_that_analytics_lists(both: Both) -> None:
    ours, theirs = both.ours.analytics.meta(), both.theirs.analytics.get_analytics_meta().data
    assert_agree(ours.metrics, theirs.metrics)
    assert_agree(ours.dimensions, theirs.dimensions)
    formats = {metric.name: metric.display_format for metric in theirs.metrics}
    assert {formats[metric] for metric in MONEY} == {"currency"}
    assert {formats[metric] for metric in {*Metric} - MONEY} == {"number"}
    assert {*Dimension} <= {dimension.name for dimension in theirs.dimensions}


def test_the_split_of_spend_agrees_with_the_keys_own_counters(both: Both) -> None:
    """What `Metric` says each means: credits as the key's `usage`, BYOK as its `byok_usage`, and the total of both."""
    spender = both.hash("prod-search-agent")
    both.simulator.organization.byok_fee = 0.05
    both.simulator.organization.byok_free_requests = 0
    both.simulator.spend(spender, 2.0)
    both.simulator.spend(spender, 3.0, byok=True)
    key = both.ours.keys.get(spender)
    by_key = AnalyticsFilter(field=Dimension.API_KEY, operator="eq", value=spender)
    start, end = (datetime.fromtimestamp(MIDDAY + offset, UTC) for offset in (-86_400, 3600))
    asked = AnalyticsQuery(metrics=[*MONEY], filters=[by_key], time_range=TimeRange(start=start, end=end))
    (row,) = both.ours.analytics.query(asked).rows
    assert {name: number(row[name]) for name in MONEY} == {
        Metric.CREDITS_USAGE: pytest.approx(key.usage),
        Metric.BYOK_USAGE: pytest.approx(key.byok_usage),
        Metric.TOTAL_USAGE: pytest.approx(key.usage + key.byok_usage),
    }


def test_on_credits_analytics_and_activity(both: Both) -> None:
    spender = both.hash("prod-search-agent")
    both.simulator.spend(spender, 1.5, at=MIDDAY - 2 * 86_400, requests=3)
    both.simulator.spend(spender, 2.0, requests=4, app="search")
    assert_agree(both.ours.credits(), both.theirs.credits.get_credits().data)
    start, end = (datetime.fromtimestamp(MIDDAY + offset, UTC) for offset in (-3 * 86_400, 3600))
    ours = both.ours.analytics.query(
        AnalyticsQuery(
            metrics=["total_usage", "request_count"],
            dimensions=["api_key_id", "model"],
            granularity="day",
            filters=[AnalyticsFilter(field="api_key_id", operator="eq", value=spender)],
            time_range=TimeRange(start=start, end=end),
        )
    )
    # The SDK drops the rows (its row has no fields), but says how many there were.
    theirs = both.theirs.analytics.query_analytics(
        metrics=["total_usage", "request_count"],
        dimensions=["api_key_id", "model"],
        granularity="day",
        filters=[Filter(field="api_key_id", operator="eq", value=spender)],
        time_range={"start": start, "end": end},
    ).data
    assert len(ours.rows) == theirs.metadata.row_count == 2
    assert ours.truncated is theirs.metadata.truncated is False
    # Today: the 12.5 that the seed declares as spent, and these 2.
    assert sorted(number(row["total_usage"]) or 0 for row in ours.rows) == [1.5, 14.5]
    assert_agree(both.ours.activity(api_key_hash=spender), both.theirs.analytics.get_user_activity(
        request={"api_key_hash": spender}).data)  # fmt: skip


def test_on_presets(both: Both) -> None:
    ours, theirs = both.as_key("prod-search-agent")
    saved = ours.presets.save("triage", CHAT)
    again = ours.presets.save("triage", {**CHAT, "max_tokens": 32})
    assert saved.designated_version is not None
    assert again.designated_version is not None
    assert (saved.designated_version.version, again.designated_version.version) == (1, 2)
    assert_agree(ours.presets.list(), rows(theirs.presets.list()))
    assert_agree(ours.presets.get("triage"), theirs.presets.get(slug="triage").data)
    assert_agree(ours.presets.versions("triage"), rows(theirs.presets.list_versions(slug="triage")))
    assert_agree(ours.presets.version("triage", 1), theirs.presets.get_version(slug="triage", version="1").data)


def test_on_inference_and_generations(both: Both) -> None:
    ours, theirs = both.as_key("prod-triage")
    answer = ours.chat(CHAT, metadata=True)
    assert answer.usage is not None
    assert answer.openrouter_metadata is not None
    reference = theirs.chat.send(**CHAT, x_open_router_metadata="enabled")
    assert_agree(answer.usage, reference.usage)
    assert_agree(answer.openrouter_metadata, reference.openrouter_metadata)
    assert answer.choices[0].finish_reason == reference.choices[0].finish_reason
    assert_agree(ours.generation(answer.id), theirs.generations.get_generation(id=answer.id).data)


def test_on_models(both: Both) -> None:
    assert_agree(both.ours.models(), rows(both.theirs.models.list()))


def test_on_what_a_write_left_behind(both: Both) -> None:
    workspace, expiry = both.workspace("production"), datetime(2027, 1, 1, tzinfo=UTC)
    created = both.ours.keys.create(
        NewKey(name="prod-new", limit=10, limit_reset="weekly", workspace_id=workspace, expires_at=expiry)
    )
    assert_agree(created.key, both.theirs.api_keys.get(hash=created.key.hash).data)
    assert created.key.expires_at == expiry
    assert both.ours.with_key(created.plaintext).current_key().limit == 10
    patched = both.ours.keys.update(created.key.hash, KeyPatch(limit=None, limit_reset=None, disabled=True))
    assert (patched.limit, patched.disabled, patched.name) == (None, True, "prod-new")
    assert_agree(patched, both.theirs.api_keys.get(hash=created.key.hash).data)
    both.ours.keys.delete(created.key.hash)
    assert created.key.hash not in {key.hash for key in both.ours.keys.list(workspace)}

"""The check of Broadcast over an account in memory: whom it watches, what it asks, and what it does when it cannot."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from governor.broadcast.destination import HEADER, Expected
from governor.broadcast.messages import LastPushed
from governor.events import DetailType, PublishFailed
from governor.storage.readings import MemoryReadingStore
from spend_meter.broadcast_check import BroadcastCheck, Checked, Stores
from spend_meter.periods import minute_of
from tests.unit.spend_meter.conftest import MADE, FakeAccount, World

URL = "https://gateway.example.com/"
GOOD: dict[str, Any] = {
    "id": "d-1", "type": "webhook", "name": "governor", "enabled": True, "privacy_mode": True, "sampling_rate": 1,
    "config": {"url": URL, "headers": {HEADER: "fake...oken"}}, "api_key_hashes": None, "filter_rules": None,
    "broadcast_generation_cost": True, "broadcast_generation_identity": True, "created_at": MADE,
}  # fmt: skip
WORKLOAD = {
    "name": "prod-search-agent", "workspace": "platform", "owner": {"slack": "U0SEARCH"}, "tier": 1,
    "key": {"limit_usd": 200, "limit_reset": "monthly"}, "secret": "openrouter/prod/search",
}  # fmt: skip


class Account(FakeAccount):
    """With destinations by workspace; a workspace in `off` has Broadcast switched off."""

    def __init__(self) -> None:
        super().__init__()
        self.destinations: dict[str, list[dict[str, Any]]] = {"ws-1": [GOOD]}
        self.off: set[str] = set()

    def _answer(self, path: str, request: httpx.Request) -> Any:
        if path == "/observability/destinations":
            place = request.url.params["workspace_id"]
            data = [{**one, "workspace_id": place} for one in self.destinations.get(place, [])]
            return {"data": data, "total_count": len(data)}
        answer = super()._answer(path, request)
        if path == "/workspaces":
            for one in answer["data"]:
                one["is_observability_broadcast_enabled"] = one["id"] not in self.off
        return answer


@dataclass
class Checking(World):
    account: Account = field(default_factory=Account)
    memory: MemoryReadingStore = field(default_factory=MemoryReadingStore)
    pushed: MemoryReadingStore = field(default_factory=MemoryReadingStore)

    def check(self) -> Checked:
        meter = self._meter = self._meter or self.meter()
        stores = Stores(self.memory, self.pushed)
        check = BroadcastCheck(self.policy, meter._ports, meter, stores, Expected(URL))
        return check.check(self.at, lambda: self.seconds_left)

    def ten_minutes(self, usd: float = 0.0, pushed: bool = True) -> Checked:
        for _ in range(10):
            if usd:
                self.account.spend(next(iter(self.account.keys)), usd / 10)
            self.tick()
        if pushed:
            stored = self.pushed.stored
            last = LastPushed({"ws-1": minute_of(self.at)})
            self.pushed.put(last.encode(), stored.etag if stored else None)
        return self.check()

    def told(self) -> list[tuple[str, str]]:
        kinds = (DetailType.MONITOR_BLIND, DetailType.MONITOR_RECOVERED)
        return [(event.detail_type.value, event.evidence["kind"]) for kind in kinds for event in self.bus.of(kind)]


@pytest.fixture
def world() -> Checking:
    world = Checking()
    world.with_policy(workloads=[WORKLOAD])
    world.account.add("prod-search-agent")
    world.tick()
    world.tick()
    return world


def test_a_workspace_of_the_policy_that_is_set_up_and_pushed_is_no_news(world: Checking) -> None:
    for _ in range(6):
        assert world.ten_minutes(usd=1.0) == Checked("checked", 1, events=[])
    assert world.told() == []


def test_silence_is_told_after_half_an_hour_and_ended_by_a_push(world: Checking) -> None:
    for _ in range(4):
        world.ten_minutes(usd=1.0, pushed=False)
    assert world.told() == [("Monitor Blind", "broadcast_silent")]
    world.ten_minutes(usd=1.0)
    assert world.told() == [("Monitor Blind", "broadcast_silent"), ("Monitor Recovered", "broadcast_silent")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"enabled": False}, "enabled"),
        ({"privacy_mode": False}, "privacy_mode"),
        ({"sampling_rate": 0.5}, "sampling_rate"),
        ({"api_key_hashes": ["a" * 64]}, "api_key_hashes"),
        ({"filter_rules": {"enabled": True, "groups": [{}]}}, "filter_rules"),
        ({"broadcast_generation_cost": False}, "broadcast_generation_cost"),
        ({"broadcast_generation_identity": False}, "broadcast_generation_identity"),
        ({"config": {"url": URL, "headers": {}}}, "header"),
        ({"config": {"url": "https://elsewhere.example.com", "headers": {HEADER: "x"}}}, "url"),
        ({"type": "otel-collector"}, "destination"),
    ],
)
def test_each_field_that_differs_is_named(world: Checking, change: dict[str, Any], field: str) -> None:
    world.account.destinations["ws-1"] = [GOOD | change]
    world.ten_minutes()
    world.ten_minutes()
    (event,) = world.bus.of(DetailType.MONITOR_BLIND)
    assert event.evidence["error"].split(":")[0] == field
    world.account.destinations["ws-1"] = [GOOD | change, GOOD | {"id": "d-2"}]
    world.ten_minutes()
    assert world.told()[-1] == ("Monitor Recovered", "broadcast_drifted"), "one that is as it must be is enough"


def test_a_switch_that_is_off_and_a_filter_that_is_not_applied(world: Checking) -> None:
    world.account.destinations["ws-1"] = [GOOD | {"filter_rules": {"enabled": False, "groups": [{}]}}]
    world.account.off.add("ws-1")
    world.ten_minutes()
    world.ten_minutes()
    (event,) = world.bus.of(DetailType.MONITOR_BLIND)
    assert event.evidence["error"] == "switch: Broadcast is switched off in the workspace"


def test_a_workspace_without_workloads_is_watched_once_broadcast_was_set_up_there_and_another_never(
    world: Checking,
) -> None:
    world.account.workspaces |= {"ws-2": "research", "ws-3": "sandbox"}
    for _ in range(5):
        world.tick()
    assert world.ten_minutes().workspaces == 1
    assert not [path for path in world.account.asked if path.endswith("ws-3")]
    world.with_policy(
        workloads=[WORKLOAD, {**WORKLOAD, "name": "prod-other", "workspace": "ws-2", "secret": "openrouter/o"}]
    )
    world.account.destinations["ws-2"] = [GOOD | {"id": "d-9"}]
    assert world.ten_minutes().workspaces == 2
    world.with_policy(workloads=[WORKLOAD])
    assert world.ten_minutes().workspaces == 2


def test_a_workspace_that_cannot_be_read_is_no_drift_and_if_none_can_the_check_fails(world: Checking) -> None:
    world.ten_minutes()
    world.account.failing = lambda request: 500 if "destinations" in request.url.path else None
    for _ in range(3):
        checked = world.ten_minutes()
        assert (checked.unread, type(checked.failure).__name__) == (1, "Unavailable")
    world.account.failing = lambda request: 500
    assert isinstance(world.check().failure, Exception)
    assert world.told() == []


def test_nothing_is_judged_from_a_reading_that_is_old(world: Checking) -> None:
    world.ten_minutes(usd=1.0)
    world.at += timedelta(hours=1)
    assert world.check() == Checked("stale")


@pytest.mark.parametrize("taken", [False, True])
def test_what_was_not_surely_published_is_published_by_the_next_check_under_the_same_id(
    world: Checking, taken: bool
) -> None:
    world.account.destinations["ws-1"] = []
    world.ten_minutes()
    meter = world._meter = world.meter()
    ids: list[str] = []

    class Bus:
        broken = True

        def publish(self, events: Any) -> None:
            if taken or not self.broken:
                ids.extend(event.id for event in events)
            if self.broken:
                raise PublishFailed("as the test asked")

    bus = Bus()
    meter._ports = replace(meter._ports, publisher=bus)
    with pytest.raises(PublishFailed):
        world.ten_minutes()
    bus.broken = False
    world.ten_minutes()
    world.ten_minutes()
    assert len(ids) == 1 + taken
    assert len(set(ids)) == 1

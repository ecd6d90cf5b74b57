"""Reading the account: every key of every workspace."""

import threading

import httpx
import pytest

from management_api import ApiKey, AuthenticationFailed, Read, Unavailable, Unknown, WorkspaceReading
from tests.unit.management_api.far_side import Account, ClientOf, error_json, key_json


def held(reading: WorkspaceReading) -> tuple[ApiKey, ...]:
    assert isinstance(reading, Read)
    return reading.keys


def keys(count: int) -> list[dict[str, object]]:
    return [key_json(number) for number in range(count)]


def test_every_key_of_every_workspace_is_read_once(client_of: ClientOf) -> None:
    account = Account({"small": keys(3), "large": keys(1234), "empty": [], "full page": keys(100)})
    readings = client_of(account).read_account(account.workspaces)
    assert {workspace: len(held(reading)) for workspace, reading in readings.items()} == {
        "small": 3, "large": 1234, "empty": 0, "full page": 100,
    }  # fmt: skip
    assert [key.hash for key in held(readings["large"])] == [f"{number:064x}" for number in range(1234)]


def test_disabled_and_expired_keys_are_asked_for(client_of: ClientOf) -> None:
    def far_side(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        hidden = [key_json(2, disabled=True)] if asked["include_disabled"] == asked["include_expired"] == "true" else []
        return httpx.Response(200, json={"data": [key_json(1), *hidden]})

    (reading,) = client_of(far_side).read_account(["ws-1"]).values()
    assert [key.disabled for key in held(reading)] == [False, True]


@pytest.mark.parametrize("failing_offset", [0, 99, 198])
def test_a_page_that_fails_makes_its_workspace_unknown_and_hides_no_other(
    client_of: ClientOf, failing_offset: int
) -> None:
    class Failing(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
            return error_json(500) if (workspace_id, offset) == ("bad", failing_offset) else None

    account = Failing({"good": keys(350), "bad": keys(350), "other": keys(1)})
    readings = client_of(account).read_account(account.workspaces)
    assert isinstance(readings["bad"], Unknown)
    assert isinstance(readings["bad"].error, Unavailable)
    assert [len(held(readings[workspace])) for workspace in ("good", "other")] == [350, 1]


def test_an_unreadable_page_makes_its_workspace_unknown_never_empty(client_of: ClientOf) -> None:
    account = Account({"odd": [{**key_json(1), "usage": None}], "good": keys(2)})
    readings = client_of(account).read_account(account.workspaces)
    assert isinstance(readings["odd"], Unknown)
    assert isinstance(readings["good"], Read)


def test_a_key_without_a_counter_is_unreadable_because_absence_is_not_zero(client_of: ClientOf) -> None:
    bare = key_json(1)
    del bare["usage_monthly"]
    (reading,) = client_of(Account({"ws": [bare]})).read_account(["ws"]).values()
    assert isinstance(reading, Unknown)
    assert "data.0.usage_monthly" in str(reading.error)


def test_a_list_that_never_stands_still_is_unknown(client_of: ClientOf) -> None:
    class Restless(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
            start = len(self.asked) * 1000
            return httpx.Response(200, json={"data": [key_json(start + number) for number in range(100)]})

    (reading,) = client_of(Restless({"ws": []})).read_account(["ws"]).values()
    assert isinstance(reading, Unknown)
    assert "detours" in str(reading.error)


def test_a_refused_credential_is_raised_at_once_instead_of_being_asked_for_every_workspace(client_of: ClientOf) -> None:
    class Refusing(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
            return error_json(401, "No auth credentials found", "authentication")

    account = Refusing({f"ws-{number}": keys(1) for number in range(100)})
    with pytest.raises(AuthenticationFailed):
        client_of(account).read_account(account.workspaces, concurrency=4)
    assert len(account.asked) <= 8


def test_no_more_requests_are_under_way_than_allowed(client_of: ClientOf) -> None:
    now, most, lock, all_in = 0, 0, threading.Lock(), threading.Barrier(3, timeout=60)

    class Counting(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            all_in.wait()  # nobody goes on before three are under way
            with lock:
                now -= 1
            return None

    account = Counting({f"ws-{number}": keys(1) for number in range(9)})
    client_of(account).read_account(account.workspaces, concurrency=3)
    assert most == 3


def test_something_unforeseen_in_one_thread_is_raised_and_leaves_no_thread_waiting(client_of: ClientOf) -> None:
    class Broken(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
            raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        client_of(Broken({"a": keys(1), "b": keys(1)})).read_account(["a", "b"])


def test_one_workspace_lists_the_same_keys(client_of: ClientOf) -> None:
    client = client_of(Account({"ws": keys(250)}))
    assert client.keys.list("ws") == list(held(client.read_account(["ws"])["ws"]))


def test_no_workspace_is_no_request(client_of: ClientOf) -> None:
    assert client_of(Account({})).read_account([]) == {}


def test_where_requests_run_out_the_workspaces_that_came_first_are_whole(client_of: ClientOf) -> None:
    class Tired(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
            return error_json(503) if len(self.asked) > 12 else None

    account = Tired({f"ws-{number}": keys(450) for number in range(9)})
    readings = client_of(account).read_account(account.workspaces, concurrency=1)
    assert [name for name, reading in readings.items() if isinstance(reading, Read)] == ["ws-0", "ws-1"]

"""What may happen to an account. `HANDS`: what a person does to one workload in OpenRouter, AWS or Slack; each says
what people must hear of it, where they must. `FAR_SIDE`: what OpenRouter answers to everybody for a while.

An accident of hands gets the account and the workload; one of the far side gives a function that takes it back.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.accidents.account import ELSEWHERE, HOUR, PLACE, Account, secret_of

COUNTERS = ("usage", "usage_daily", "usage_weekly", "usage_monthly")
type Hand = Callable[[Account, str], None]
type FarSide = Callable[[Account], Callable[[], None]]


@dataclass(frozen=True)
class OfHands:
    """`told`: one of these detail types must be published about the workload. `states`: where it can happen."""

    do: Hand
    told: frozenset[str] = frozenset()
    states: tuple[str, ...] = ("resting", "overlap", "quarantine")


HANDS: dict[str, OfHands] = {}
FAR_SIDE: dict[str, FarSide] = {}


def _hand(told: str = "", states: str = "resting overlap quarantine") -> Callable[[Hand], Hand]:
    def add(do: Hand) -> Hand:
        HANDS[do.__name__] = OfHands(do, frozenset(filter(None, told.split(", "))), tuple(states.split()))
        return do

    return add


def _far(make: FarSide) -> FarSide:
    FAR_SIDE[make.__name__] = make
    return make


# --- in OpenRouter, by hand -----------------------------------------------------------------------------------------
@_hand("Key Drifted")
def the_current_key_is_renamed(account: Account, workload: str) -> None:
    account.current(workload).name = "something a person likes better"


@_hand("Key Drifted", "overlap")
def the_old_key_is_renamed(account: Account, workload: str) -> None:
    account.old(workload).name = "the old one"


@_hand("Key Drifted")
def the_current_key_is_moved(account: Account, workload: str) -> None:
    _move(account, account.current(workload))


@_hand("Key Drifted", "overlap")
def the_old_key_is_moved(account: Account, workload: str) -> None:
    _move(account, account.old(workload))


@_hand("Key Drifted")
def the_current_key_is_deleted(account: Account, workload: str) -> None:
    _delete(account, workload, account.current(workload))


@_hand("Key Retired", "overlap quarantine")
def the_old_key_is_deleted(account: Account, workload: str) -> None:
    _delete(account, workload, account.old(workload))


@_hand("Key Drifted", "overlap")
def both_keys_are_deleted(account: Account, workload: str) -> None:
    _delete(account, workload, account.old(workload))
    _delete(account, workload, account.current(workload))


@_hand("Key Drifted")
def the_current_key_is_disabled(account: Account, workload: str) -> None:
    _disable(account, workload, account.current(workload))


@_hand("", "overlap")
def the_old_key_is_disabled(account: Account, workload: str) -> None:
    _disable(account, workload, account.old(workload))


@_hand("Key Drifted", "quarantine")
def the_old_key_is_enabled_in_quarantine(account: Account, workload: str) -> None:
    account.old(workload).disabled = False


@_hand("Key Drifted", "resting quarantine")
def the_current_limit_is_raised(account: Account, workload: str) -> None:
    _limit(account, workload, 1000.0)


@_hand("Key Drifted", "resting quarantine")
def the_current_limit_is_lowered(account: Account, workload: str) -> None:
    _limit(account, workload, 50.0)


@_hand("Key Drifted", "resting quarantine")
def the_current_limit_is_lifted(account: Account, workload: str) -> None:
    _limit(account, workload, None)


@_hand("Key Drifted", "resting quarantine")
def the_reset_is_changed(account: Account, workload: str) -> None:
    account.current(workload).limit_reset = "daily"
    account.hands[workload].limited.add(account.current(workload).hash)


@_hand("Key Drifted", "resting")
def byok_no_longer_counts(account: Account, workload: str) -> None:
    key = account.current(workload)
    key.include_byok_in_limit = not key.include_byok_in_limit


@_hand("Key Drifted")
def the_current_keys_guardrail_is_taken_off(account: Account, workload: str) -> None:
    account.hands[workload].attached.add(account.current(workload).hash)
    account.organization.key_assignments.pop(account.current(workload).hash)


@_hand("Key Drifted")
def the_current_key_gets_another_guardrail(account: Account, workload: str) -> None:
    organization = account.organization
    lax = next(one for one in organization.guardrails.values() if one.rules["name"] == "lax")
    account.hands[workload].attached.add(account.current(workload).hash)
    organization.assign(lax, [account.current(workload).hash])


@_hand("Key Drifted")
def the_current_key_is_taken_off_the_allowlist(account: Account, workload: str) -> None:
    credential = next(iter(account.organization.credentials.values()))
    account.hands[workload].attached.add(account.current(workload).hash)
    credential.settings["allowed_api_key_hashes"].remove(account.current(workload).hash)


@_hand("Key Drifted")
def the_current_key_is_taken_off_the_filter(account: Account, workload: str) -> None:
    destination = next(iter(account.organization.destinations.values()))
    account.hands[workload].attached.add(account.current(workload).hash)
    destination.settings["api_key_hashes"].remove(account.current(workload).hash)


@_hand("", "overlap")
def the_old_key_is_taken_off_the_allowlist(account: Account, workload: str) -> None:
    credential = next(iter(account.organization.credentials.values()))
    credential.settings["allowed_api_key_hashes"].remove(account.old(workload).hash)


@_hand()
def a_key_is_made_under_the_same_name(account: Account, workload: str) -> None:
    _make(account, workload, workload)


@_hand()
def a_key_is_made_under_a_name_like_governors(account: Account, workload: str) -> None:
    _make(account, workload, f"{workload}#20260101-0000")


@_hand()
def somebody_elses_key_takes_the_name_in_another_workspace(account: Account, workload: str) -> None:
    _make(account, workload, workload, ELSEWHERE)


# --- in AWS, by hand ------------------------------------------------------------------------------------------------
@_hand("Drain Blocked", "overlap")
def the_secret_is_put_back_by_hand(account: Account, workload: str) -> None:
    account.hands[workload].put_back = True
    _put(account, workload, {"api_key": account.world.plaintexts[workload]})


@_hand("", "resting quarantine")
def the_secret_is_written_again_as_it_was(account: Account, workload: str) -> None:
    _put(account, workload, account.held(workload))


@_hand("", "resting overlap")
def rotation_is_asked_for_twice(account: Account, workload: str) -> None:
    account.ask("Rotation Requested", workload)
    account.ask("Rotation Requested", workload)


@_hand("", "overlap")
def the_secret_is_rotated_by_hand_in_the_overlap(account: Account, workload: str) -> None:
    account.world.engine.client("secretsmanager").rotate_secret(SecretId=secret_of(workload))


@_hand("", "overlap quarantine")
def rotation_is_cancelled(account: Account, workload: str) -> None:
    account.world.engine.client("secretsmanager").cancel_rotate_secret(SecretId=secret_of(workload))


# --- by events and Slack --------------------------------------------------------------------------------------------
@_hand("Rotation Rolled Back", "overlap")
def the_rotation_is_rolled_back(account: Account, workload: str) -> None:
    account.ask("Rollback Requested", workload)


@_hand("Rotation Rolled Back, Rollback Refused", "quarantine")
def the_rotation_is_rolled_back_late(account: Account, workload: str) -> None:
    account.ask("Rollback Requested", workload)


@_hand("Rollback Refused", "resting")
def a_rollback_without_a_rotation(account: Account, workload: str) -> None:
    account.ask("Rollback Requested", workload)


@_hand("Key Disabled")
def the_workload_leaks(account: Account, workload: str) -> None:
    account.ask("Key Exposed", workload)


@_hand("Key Disabled", "overlap")
def the_current_key_leaks(account: Account, workload: str) -> None:
    account.world.put_event(
        "Key Exposed", {"subject": account.held_hash(workload), "evidence": {"requested_by": "U0LEAD"}}
    )


@_hand("Disable Withheld", "quarantine")
def the_quarantined_key_leaks(account: Account, workload: str) -> None:
    account.world.put_event("Key Exposed", {"subject": account.first[workload], "evidence": {"requested_by": "U0LEAD"}})


@_hand("Restore Refused")
def a_restore_of_what_works(account: Account, workload: str) -> None:
    account.ask("Restore Requested", workload, cause="runaway")


@_hand("Key Disabled")
def somebody_disables_it_in_slack(account: Account, workload: str) -> None:
    account.world.command("U0LEAD", f"disable {workload}")


# --- what OpenRouter answers, for a while ---------------------------------------------------------------------------
def answering(change: Callable[[str, Any], Any]) -> FarSide:
    def begin(account: Account) -> Callable[[], None]:
        simulator = account.world.simulator
        before = simulator.on_answer
        simulator.on_answer = lambda path, answer: change(path, answer)

        def end() -> None:
            simulator.on_answer = before

        return end

    return begin


def _keys(change: Callable[[list[dict[str, Any]]], Any]) -> FarSide:
    """`GET /keys` with other rows; what POST answers under the same path is one key, and stays."""

    def altered(path: str, answer: Any) -> Any:
        return (
            {**answer, "data": change(copy.deepcopy(answer["data"]))}
            if path == "/keys" and isinstance(answer.get("data"), list)
            else answer
        )

    return answering(altered)


def _each(**fields: Any) -> FarSide:
    return _keys(lambda rows: [{**row, **fields} for row in rows])


def _failing(mode: str, path: str = "/.*", **more: Any) -> FarSide:
    def begin(account: Account) -> Callable[[], None]:
        faults = account.world.simulator.faults
        account.world.simulator.fault(path, mode, times=None, **more)
        return faults.clear

    return begin


def _usages(value: Any) -> FarSide:
    return _each(**dict.fromkeys(COUNTERS, value))


def _raw(body: bytes) -> FarSide:
    return answering(lambda path, answer: body if path == "/keys" else answer)


def _frozen(account: Account) -> Callable[[], None]:
    """The list goes on, and every counter in it stays what it was when its key was listed first."""
    first: dict[str, dict[str, Any]] = {}

    def frozen(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, **first.setdefault(row["hash"], {name: row[name] for name in COUNTERS})}

    return _keys(lambda rows: [frozen(row) for row in rows])(account)


def _empty(path: str) -> FarSide:
    return answering(lambda asked, answer: {**answer, "data": []} if asked == path else answer)


def _without_half(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return rows[::2]


def _with_a_deleted_workspace(path: str, answer: Any) -> Any:
    """Its lists are refused with a 400, and it answers 404 for itself."""
    if path != "/workspaces" or not answer.get("data"):
        return answer
    deleted = {"id": "99999999-9999-4999-8999-999999999999", "name": "Deleted", "slug": "deleted"}
    return {**answer, "data": [*answer["data"], {**answer["data"][0], **deleted}]}


FAR_SIDE |= {
    "the_list_of_keys_is_empty": _keys(lambda _rows: []),
    "half_of_the_keys_are_missing": _keys(_without_half),
    "every_key_is_listed_twice": _keys(lambda rows: [*rows, *rows]),
    "keys_are_listed_twice_with_other_counters": _keys(lambda rows: [*rows, *({**row, "usage": 0} for row in rows)]),
    "keys_come_in_another_order": _keys(lambda rows: rows[::-1]),
    "names_are_missing": _each(name=""),
    "every_name_is_the_same": _each(name="prod-a"),
    "all_keys_seem_disabled": _each(disabled=True),
    "all_limits_seem_lifted": _each(limit=None),
    "hashes_have_a_newline": _keys(lambda rows: [{**row, "hash": row["hash"][:63] + "\n"} for row in rows]),
    "counters_are_zero": _usages(0),
    "counters_are_frozen": _frozen,
    "counters_are_null": _usages(None),
    "counters_are_negative": _usages(-5.0),
    "counters_are_endless": _usages(1e18),
    "counters_are_text": _usages("12.5"),
    "counters_are_infinite": _keys(lambda rows: [{**row, "usage": float("inf")} for row in rows]),
    "counters_are_no_number": _keys(lambda rows: [{**row, "usage": float("nan")} for row in rows]),
    "dates_are_nonsense": _each(last_used_at="yesterday"),
    "the_answer_is_a_page": _raw(b"<html><body>502 Bad Gateway</body></html>"),
    "the_answer_is_cut_off": _raw(b'{"data": [{"hash": "ab'),
    "the_answer_is_null": _raw(b"null"),
    "the_answer_is_a_list": _raw(b"[]"),
    "workspaces_are_gone": _empty("/workspaces"),
    "no_guardrail_is_listed": _empty("/guardrails"),
    "no_credential_is_listed": _empty("/byok"),
    "no_destination_is_listed": _empty("/observability/destinations"),
    "a_deleted_workspace_is_still_listed": answering(_with_a_deleted_workspace),
    "credits_are_zero": answering(
        lambda path, answer: {"data": {"total_credits": 0, "total_usage": 0}} if path == "/credits" else answer
    ),
    "no_guardrail_is_assigned": answering(
        lambda path, answer: {**answer, "data": [], "total_count": 0} if path.endswith("/assignments/keys") else answer
    ),
    "every_answer_is_a_500": _failing("500"),
    "every_answer_is_a_503": _failing("503"),
    "every_answer_is_a_429": _failing("429", retry_after=1.0),
    "every_answer_is_a_403": _failing("fail_before", status=403),
    "every_answer_is_a_401": _failing("fail_before", status=401),
    "no_answer_comes": _failing("fail_before"),
    "writes_are_done_and_not_answered": _failing("fail_after", method="PATCH"),
    "new_keys_are_made_and_not_answered": _failing("fail_after", method="POST"),
    "nothing_can_be_deleted": _failing("500", method="DELETE"),
    "keys_are_refused_their_own_reading": _failing("fail_before", path="/key", status=403),
}


@_far
def lists_are_an_hour_old(account: Account) -> Callable[[], None]:
    account.world.simulator.fault("/keys", "stale_list", times=None)
    return account.world.simulator.faults.clear


@_far
def the_management_key_is_replaced(account: Account) -> Callable[[], None]:
    """The old one stops at once, and the new one is in the secret a quarter of an hour later."""
    world, simulator = account.world, account.world.simulator
    before = set(simulator.management_hashes)
    simulator.management_hashes = {"0" * 64}

    def end() -> None:
        world.put_event("Rotation Requested", {"subject": account.workloads[0], "evidence": {"requested_by": "U0LEAD"}})
        simulator.management_hashes = before

    return end


# --- how ------------------------------------------------------------------------------------------------------------
def _move(account: Account, key: Any) -> None:
    account.organization.keys.move(key, account.organization.workspace(ELSEWHERE).id)


def _delete(account: Account, workload: str, key: Any) -> None:
    if key is not None:
        account.hands[workload].deleted.add(key.hash)
        account.organization.delete_key(key.hash)


def _disable(account: Account, workload: str, key: Any) -> None:
    account.hands[workload].disabled.add(key.hash)
    key.disabled = True


def _limit(account: Account, workload: str, usd: float | None) -> None:
    key = account.current(workload)
    account.hands[workload].limited.add(key.hash)
    key.limit = usd


def _make(account: Account, workload: str, name: str, place: str = PLACE) -> None:
    key, _ = account.world.simulator.create_key(name, workspace=place)
    account.hands[workload].made.add(key.hash)


def _put(account: Account, workload: str, value: dict[str, Any]) -> None:
    account.world.engine.client("secretsmanager").put_secret_value(
        SecretId=secret_of(workload), SecretString=json.dumps(value)
    )


LASTING = timedelta(minutes=30)
"""How long the far side's accidents last, but for those that would need longer to be believed."""
HOURS = {"counters_are_zero": 6 * HOUR, "counters_are_frozen": 6 * HOUR, "lists_are_an_hour_old": HOUR}

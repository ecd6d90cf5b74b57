"""The states in which accidents meet a workload, and the time in which all comes to rest."""

from datetime import timedelta

from tests.accidents.account import HOUR, MINUTE, TEN, Account

STATES = ("resting", "overlap", "quarantine")


def names(count: int) -> list[str]:
    return [f"prod-w{number:02d}-agent" for number in range(count)]


def bring(account: Account, state: str, workloads: list[str] | None = None) -> None:
    """The workloads into a state: a new key beside the old one, the old one disabled, or the new one alone."""
    chosen = workloads or account.workloads
    for name in chosen:
        account.ask("Rotation Requested", name)
    account.pass_time(4 * MINUTE, MINUTE)
    late = [name for name in chosen if account.held_hash(name) == account.first[name]]
    assert not late, f"not rotated: {late}"
    if state == "overlap":
        return
    account.pass_time(2 * HOUR)
    enabled = [name for name in chosen if not account.old(name).disabled]
    assert not enabled, f"not in quarantine: {enabled}"
    if state == "resting":
        account.pass_time(5 * HOUR, every=3 * TEN)
        left = [name for name in chosen if account.old(name)]
        assert not left, f"not deleted: {left}"


def come_to_rest(account: Account) -> None:
    account.pass_time(4 * HOUR)
    account.pass_time(10 * HOUR, every=timedelta(minutes=30))

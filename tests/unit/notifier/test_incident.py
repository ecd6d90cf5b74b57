from collections.abc import Callable
from itertools import permutations

import pytest

from governor.events import BadEvent, DetailType, Event
from notifier.incident import MAX_STEPS, Incident
from notifier.kinds import incident_key

Sample = Callable[..., Event]


def _incident(*events: Event) -> Incident:
    incident = Incident(incident_key(events[0]))
    for event in events:
        incident = incident.joined(event)
    return incident


def test_a_runaway_its_disable_and_its_restore_share_a_thread(sample: Sample) -> None:
    names = (
        "runaway_suspected",
        "runaway_confirmed",
        "runaway_ended",
        "key_disabled",
        "key_restored",
        "restore_refused",
    )
    assert {incident_key(sample(name)) for name in names} == {"runaway#prod-search-agent"}


def test_an_exposed_key_and_its_disable_share_a_thread(sample: Sample) -> None:
    disabled = sample("key_disabled", evidence={"cause": "exposed"})
    assert incident_key(sample("key_exposed")) == incident_key(disabled) == "exposed#prod-search-agent"


def test_each_period_of_each_budget_has_a_thread_of_its_own(sample: Sample) -> None:
    december = sample("budget_threshold_reached", evidence={"resets_at": "2027-01-01T00:00:00Z"})
    daily = sample("budget_threshold_reached", evidence={"period": "daily"})
    workspace = sample("budget_threshold_reached", evidence={"scope": "workspace"})
    keys = {incident_key(event) for event in (sample("budget_threshold_reached"), december, daily, workspace)}
    assert len(keys) == 4


def test_the_state_is_the_same_in_whatever_order_the_events_come(sample: Sample) -> None:
    events = [
        sample("runaway_suspected", minutes=1),
        sample("runaway_confirmed", minutes=2),
        sample("key_disabled", minutes=2),
        sample("runaway_ended", minutes=9),
    ]
    ends = {(i.lead.detail_type, tuple(s.id for s in i.steps)) for i in (_incident(*p) for p in permutations(events))}
    assert ends == {(DetailType.KEY_DISABLED, tuple(event.id for event in events))}


def test_a_late_step_never_turns_a_restored_incident_back(sample: Sample) -> None:
    restored = _incident(sample("runaway_confirmed", minutes=1), sample("key_restored", minutes=30))
    assert restored.joined(sample("key_disabled", minutes=2)).lead.detail_type is DetailType.KEY_RESTORED


def test_a_runaway_that_ends_by_itself_is_over_and_one_that_was_disabled_is_not(sample: Sample) -> None:
    ended = sample("runaway_ended", minutes=9)
    assert _incident(sample("runaway_confirmed", minutes=1), ended).lead.detail_type is DetailType.RUNAWAY_ENDED
    assert _incident(sample("key_disabled", minutes=1), ended).lead.detail_type is DetailType.KEY_DISABLED


def test_what_the_meter_says_after_a_restore_does_not_hide_the_restore(sample: Sample) -> None:
    restored = _incident(sample("key_disabled", minutes=1), sample("key_restored", minutes=9))
    after = restored.joined(sample("runaway_ended", minutes=10)).joined(sample("restore_refused", minutes=11))
    assert (after.generation, after.lead.detail_type) == (1, DetailType.KEY_RESTORED)


@pytest.mark.parametrize("rule", ["stale", "superseded", "already_disabled", "foreign"])
def test_a_disable_that_was_not_needed_never_moves_an_incident(sample: Sample, rule: str) -> None:
    calm = sample("disable_withheld", minutes=20, subject="prod-search-agent", evidence={"rule": rule})
    for name in ("key_disabled", "key_restored", "runaway_confirmed"):
        after = _incident(sample(name, minutes=1)).joined(calm)
        assert (after.generation, after.lead.id) == (1, sample(name).id)
    assert _incident(calm, sample("runaway_suspected", minutes=30)).lead.detail_type is DetailType.RUNAWAY_SUSPECTED


def test_a_key_that_works_again_behind_governors_back_is_shown(sample: Sample) -> None:
    again = sample("disable_withheld", minutes=20, subject="prod-search-agent", evidence={"rule": "once_a_day"})
    assert _incident(sample("key_disabled", minutes=1), again).lead.detail_type is DetailType.DISABLE_WITHHELD


def test_a_refused_restore_leads_until_the_restore(sample: Sample) -> None:
    refused = _incident(sample("key_disabled", minutes=1), sample("restore_refused", minutes=2))
    assert refused.lead.detail_type is DetailType.RESTORE_REFUSED
    assert refused.joined(sample("key_restored", minutes=3)).lead.detail_type is DetailType.KEY_RESTORED


def test_the_next_runaway_after_the_end_opens_a_new_thread(sample: Sample) -> None:
    over = _incident(sample("runaway_confirmed", minutes=1), sample("runaway_ended", minutes=9))
    again = over.joined(sample("runaway_suspected", minutes=60, id="next"))
    assert (again.reference, [step.id for step in again.steps]) == ("runaway#prod-search-agent#2", ["next"])


def test_a_straggler_of_the_incident_before_is_late_and_changes_nothing(sample: Sample) -> None:
    over = _incident(sample("runaway_confirmed", minutes=1), sample("runaway_ended", minutes=9))
    again = over.joined(sample("runaway_suspected", minutes=60, id="next"))
    straggler = sample("key_disabled", minutes=5)
    assert again.is_late(straggler)
    assert again.joined(straggler) is again


def test_a_new_alarm_after_a_day_of_silence_opens_a_new_thread(sample: Sample) -> None:
    old = _incident(sample("key_disabled", minutes=1))
    assert old.joined(sample("runaway_suspected", minutes=60 * 23, id="n")).generation == 1
    assert old.joined(sample("runaway_suspected", minutes=60 * 25, id="n")).generation == 2


def test_a_budget_stays_in_one_thread_until_it_is_armed_anew(sample: Sample) -> None:
    half = sample("budget_threshold_reached", minutes=0, id="a", evidence={"threshold": 0.5})
    full = sample("budget_threshold_reached", minutes=60 * 300, id="b", evidence={"threshold": 1.0})
    rearmed = sample("budget_threshold_reached", minutes=60 * 400, id="c", evidence={"threshold": 0.5})
    assert _incident(half, full).generation == 1
    assert _incident(half, full).lead.id == "b"
    assert _incident(full, half).lead.id == "b"
    assert _incident(half, full, rearmed).generation == 2


def test_an_event_that_comes_twice_counts_once(sample: Sample) -> None:
    event = sample("runaway_confirmed")
    assert len(_incident(event, event).steps) == 1


def test_the_ledger_gives_back_what_it_was_given(sample: Sample) -> None:
    incident = _incident(sample("runaway_confirmed", minutes=1), sample("runaway_ended", minutes=9))
    again = incident.joined(sample("runaway_suspected", minutes=60, id="next"))
    assert Incident.remembered(again.data()) == again


def test_an_incident_that_goes_on_and_on_stays_small(sample: Sample) -> None:
    key = sample("key_disabled").evidence["keys"][0]
    crowd = [sample("runaway_confirmed", minutes=n, id=str(n), evidence={"keys": [key] * 500}) for n in range(60)]
    incident = _incident(*crowd)
    assert len(incident.steps) == MAX_STEPS
    assert (incident.steps[0].id, incident.steps[-1].id) == ("0", "59")
    assert len(str(incident.data())) < 200_000


@pytest.mark.parametrize(
    ("name", "evidence", "field"),
    [("key_disabled", {"cause": "boredom"}, "cause"), ("runaway_confirmed", {"spent_usd": "much"}, "spent_usd")],
)
def test_evidence_of_the_wrong_shape_is_refused_by_field(
    sample: Sample, name: str, evidence: dict[str, str], field: str
) -> None:
    with pytest.raises(BadEvent, match=field):
        incident_key(sample(name, evidence=evidence))


def test_a_request_is_no_news(sample: Sample) -> None:
    with pytest.raises(BadEvent, match="Restore Requested"):
        incident_key(sample("key_exposed", detail_type=DetailType.RESTORE_REQUESTED))

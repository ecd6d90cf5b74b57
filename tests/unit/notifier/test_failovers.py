"""What people read of provider keys of our own, and in which thread."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.byok_evidence import (
    Bench,
    CredentialHealth,
    CredentialRef,
    CreditsLeak,
    DrillResult,
    FailoverGap,
    ReviewDue,
)
from governor.events.evidence import Evidence
from governor.policy import Policy
from notifier.case import figures
from notifier.incident import Incident
from notifier.kinds import incident_key
from notifier.mail import plain
from notifier.wording import words

NOW = datetime(2026, 4, 7, 10, 30, tzinfo=UTC)
OF: dict[str, Any] = {
    "name": "platform/anthropic", "workspace": "platform", "provider": "anthropic", "owner": "cloud-platform",
}  # fmt: skip
FIRST, SECOND = CredentialRef(id="c-1", name="primary"), CredentialRef(id="c-2", name="second")
LEAK: dict[str, Any] = {
    **OF, "source": "both", "share": 0.0, "habit": 0.99, "lost_usd": 31.4, "rate_usd_per_hour": 62.8,
    "started_at": NOW - timedelta(minutes=30), "observed_at": NOW, "workloads": ["prod-answers"],
}  # fmt: skip


def event(kind: str, evidence: Evidence, minutes: int = 0) -> Event:
    at = NOW + timedelta(minutes=minutes)
    return Event(
        DetailType(kind), f"{kind} {minutes}", OF["name"], at, "why it is so", evidence.model_dump(mode="json")
    )


@pytest.mark.parametrize(
    ("kind", "evidence", "lines"),
    [
        ("Credits Leak Suspected", CreditsLeak(**LEAK),
         ["our own anthropic key should serve are paid with credits: $31 since 7 Apr 10:00 UTC, about $63/h",
          "Own keys serve 0 % of the spend, and 99 % is usual", "Workloads: prod-answers"]),
        ("Credits Leak Ended", CreditsLeak(**LEAK), ["The leak cost $31 of credits in 30 min."]),
        ("Credential Unhealthy",
         CredentialHealth(**OF, judgement="invalid", among=[FIRST], detail="the provider said 401"),
         ["primary, our own key for platform/anthropic, is invalid: the provider said 401", "Owner: cloud-platform"]),
        ("Credential Unhealthy",
         CredentialHealth(**OF, judgement="invalid", among=[FIRST, SECOND], detail="401", action="withheld"),
         ["One of primary, second (OpenRouter does not say which)", "Governor leaves it enabled"]),
        ("Credential Recovered", CredentialHealth(**OF, judgement="healthy", among=[FIRST], detail="served"),
         ["primary, our own key for platform/anthropic, works again."]),
        ("Credential Benched", Bench(**OF, credential=FIRST),
         ["primary, our own key for platform/anthropic, is disabled by Governor",
          "take Governor's mark off its name"]),
        ("Credential Unbenched", Bench(**OF, credential=FIRST, rule="served"), ["no longer holds", "why it is so"]),
        ("Failover Gap Found",
         FailoverGap(**OF, rule="left_out", detail="no credential lets it in", todo="Fix it.", chain=("a: b → c",)),
         ["would not work as the policy expects: no credential lets it in", "a: b → c", "Fix it."]),
        ("Failover Gap Found", FailoverGap(**OF, rule="probe_key_missing", detail="no secret", todo="Put one."),
         ["cannot be checked: no secret", "Put one."]),
        ("Failover Gap Closed", FailoverGap(**OF, rule="left_out", detail="x", since=NOW - timedelta(hours=2)),
         ["It was open for 2 h."]),
        ("Drill Passed",
         DrillResult(**OF, rule="passed", by="U0LEAD", credential=FIRST, served_by="second", seconds=1.25,
                     cost_usd=0.0001, probes=1),
         ["passed. why it is so", "Served by: second", "Cost: less than $0.001, one probe"]),
        ("Drill Failed", DrillResult(**OF, rule="wrong_next", by="schedule", credential=FIRST, back=False),
         ["failed. why it is so", "primary is still disabled", "the rule that is named below"]),
        ("Byok Review Due",
         ReviewDue(**OF, reason="committed spend", exit="it ends", due="2027-04-07", slack="U0CLOUD"),
         ["is our own key for platform/anthropic still needed? It was to be removed when: it ends.",
          "committed spend"]),
    ],
)  # fmt: skip
def test_a_person_learns_what_what_it_costs_and_what_to_do(
    policy: Policy, kind: str, evidence: Evidence, lines: list[str]
) -> None:
    one = event(kind, evidence)
    said = words(one, policy, figures((one,)))
    text = "\n".join(plain(line) for line in (said.headline, *said.facts, said.todo or ""))
    for line in lines:
        assert line in text


def test_an_illness_its_bench_and_its_end_are_one_thread_and_the_next_illness_another() -> None:
    ill = CredentialHealth(**OF, judgement="invalid", among=[FIRST], detail="401")
    steps = [
        event("Credential Unhealthy", ill),
        event("Credential Benched", Bench(**OF, credential=FIRST)),
        event("Credential Unbenched", Bench(**OF, credential=FIRST), 60),
        event("Credential Unhealthy", ill, 120),
    ]
    assert len({incident_key(one) for one in steps}) == 1
    incident = Incident(incident_key(steps[0]))
    leads = []
    for one in steps:
        incident = incident.joined(one)
        leads.append((incident.generation, incident.lead.detail_type.value))
    assert leads == [
        (1, "Credential Unhealthy"),
        (1, "Credential Benched"),
        (1, "Credential Unbenched"),
        (2, "Credential Unhealthy"),
    ]


def test_each_gap_leak_and_drill_has_a_thread_of_its_own() -> None:
    gap = {**OF, "rule": "left_out", "since": NOW}
    events = [
        event("Failover Gap Found", FailoverGap(**gap, detail="one")),
        event("Failover Gap Found", FailoverGap(**gap, detail="other")),
        event("Credits Leak Suspected", CreditsLeak(**LEAK)),
        event("Drill Passed", DrillResult(**OF, rule="passed", by="U0LEAD", order="1")),
        event("Drill Passed", DrillResult(**OF, rule="passed", by="U0LEAD", order="2")),
        event("Byok Review Due", ReviewDue(**OF, reason="r", exit="e", due="2027-04-07")),
    ]
    assert len({incident_key(one) for one in events}) == len(events)
    closed = event("Failover Gap Closed", FailoverGap(**gap, detail="one"), 10)
    assert incident_key(closed) == incident_key(events[0])

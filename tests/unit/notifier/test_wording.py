"""The sentences themselves: what a person reads first, for every event."""

from collections.abc import Callable

import pytest

from governor.events import Event
from governor.policy import Policy
from governor.slack.channel import MAX_CONFIRM
from notifier.case import figures
from notifier.kinds import incident_key
from notifier.mail import plain
from notifier.wording import words
from notifier.words import Words

Sample = Callable[..., Event]


def _read(policy: Policy, event: Event, *before: Event) -> Words:
    return words(event, policy, figures((*before, event)))


def _headline(policy: Policy, event: Event, *before: Event) -> str:
    return plain(_read(policy, event, *before).headline)


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("budget_threshold_reached",
         "🟡 prod-search-agent has spent $160.40 of its $200 monthly key limit (80 %). At $3.10/h the rest is gone by "
         "21 Nov 20:16 UTC. It resets 1 Dec 00:00 UTC. Owner: U0SEARCH."),
        ("runaway_suspected",
         "🟠 prod-search-agent may be running away: $486/h (5× its habit), $8.40 in the last 15 min. "
         "Governor disables its key once this is confirmed. Owner: U0SEARCH."),
        ("runaway_confirmed",
         "🔴 prod-search-agent is running away: $498/h (20× its habit), $31 in the last 15 min. "
         "Governor is disabling its key now. Owner: U0SEARCH."),
        ("runaway_ended",
         "🟢 prod-search-agent has calmed down. Lost: $31. Its key was not disabled."),
        ("key_disabled",
         "🔴 prod-search-agent was burning $498/h. Its key is disabled. Lost: $31. "
         "Restore needs U0LEAD or U0SEC. Owner: U0SEARCH."),
        ("disable_withheld",
         "🔴 prod-checkout is burning $498/h and its key still works: Governor withheld the disable. Lost: $31. "
         "U0LEAD or U0SEC must decide. Owner: U0SHOP."),
        ("key_restored",
         "🟢 prod-search-agent is restored: U0LEAD lifted the cause runaway. Its key is enabled. Owner: U0SEARCH."),
        ("restore_refused",
         "🟠 prod-search-agent stays as it was: Governor refused the restore that U0SEARCH asked for. "
         "No key was changed."),
        ("monitor_blind",
         "🔴 Governor is blind: it has not been able to read workspace Research since "
         "21 Nov 10:01 UTC (3 min). Spend there is not metered and a runaway there is not stopped. "
         "U0LEAD or U0SEC, please look."),
        ("monitor_recovered",
         "🟢 Governor sees again: workspace Research is read and metered."),
        ("key_exposed",
         "🔴 An event says that a key of prod-search-agent leaked, and names “github-secret-scanning” as its source. "
         "Governor is disabling it now. Owner: U0SEARCH."),
    ],
)  # fmt: skip
def test_the_first_line_stands_alone(policy: Policy, sample: Sample, name: str, headline: str) -> None:
    assert _headline(policy, sample(name)) == headline


def test_the_habit_is_known_from_the_step_before(policy: Policy, sample: Sample) -> None:
    assert "$498/h (20× its habit)" in _headline(policy, sample("key_disabled"), sample("runaway_confirmed"))


def test_expected_asks_with_all_that_it_does(policy: Policy, sample: Sample) -> None:
    expected = next(one for one in _read(policy, sample("runaway_suspected")).actions if one.action == "expected")

    assert "not judged for 4 hours" in expected.confirm
    assert "from now on this much counts as meant near this day of the month" in expected.confirm
    assert len(expected.confirm) <= MAX_CONFIRM


_SUM = {
    "scope": "workspace",
    "name": "Research & more",
    "keys": [],
    "contributors": [
        {"subject": "prod-search-agent", "name": "prod-search-agent", "spent_usd": 2.1, "usual_usd": 0.2},
        {"subject": "b" * 64, "name": "batch-7", "spent_usd": 1.9, "usual_usd": 0.0},
    ],
}


def test_a_sum_of_keys_names_the_largest_and_offers_no_button_that_would_hit_one(
    policy: Policy, sample: Sample
) -> None:
    read = _read(policy, sample("runaway_suspected", subject="5f0c1a52-6f3e", evidence=_SUM))
    assert plain(read.headline) == (
        "🟠 The keys of workspace Research & more may be running away together: $486/h (5× its habit), $8.40 in the "
        "last 15 min. No single key makes up most of it, and Governor disables none. U0LEAD or U0SEC, please look."
    )
    assert [plain(fact) for fact in read.facts[-2:]] == [
        "• prod-search-agent: $2.10 (usually $0.20)",
        "• batch-7: $1.90 (usually $0)",
    ]
    assert read.actions == ()


_LEAK = {"rule": "leak", "window_minutes": 4320, "spent_usd": 181.0, "baseline_usd": 72.0, "rate_usd_per_hour": 2.5}


def test_a_leak_is_told_in_dollars_and_apart_from_a_runaway_of_the_same_key(policy: Policy, sample: Sample) -> None:
    began, ended = sample("runaway_suspected", evidence=_LEAK), sample("runaway_ended", evidence=_LEAK)
    read = _read(policy, began)
    assert plain(read.headline) == (
        "🟡 prod-search-agent spends more than it used to: $181 in 3 days, 2.5× its habit, $109 more than usual. "
        "Governor disables nothing for this. Owner: U0SEARCH."
    )
    assert [button.action for button in read.actions] == ["expected", "disable"]
    assert _headline(policy, ended, began) == "🟢 prod-search-agent no longer spends more than it used to."
    assert incident_key(began) == incident_key(ended) == "slow#prod-search-agent"


def test_a_suspicion_says_what_its_requests_are_where_analytics_knows(policy: Policy, sample: Sample) -> None:
    requests = {
        "requests_per_minute": 41.5,
        "usual_requests_per_minute": 2.0,
        "usd_per_request": 0.195,
        "usual_usd_per_request": 0.012,
        "new_models": [["b/large", 7.9]],
        "new_apps": [["<!channel>", 1.0]],
    }
    read = _read(policy, sample("runaway_suspected", evidence={"requests": requests}))
    assert read.facts[1:4] == (
        "*Requests:* 41.5 a minute (2.0 on average in the 14 days before), $0.20 each (usually $0.012)",
        "*New models:* b/large $7.90",
        "*New apps:* &lt;!channel&gt; $1",
    )
    leak = _read(policy, sample("runaway_suspected", evidence={**_LEAK, "requests": requests}))
    assert leak.facts[:3] == read.facts[1:4]
    assert not any("Requests" in fact for fact in _read(policy, sample("runaway_suspected")).facts)


def test_a_sum_of_keys_that_ends_says_whose_it_was(policy: Policy, sample: Sample) -> None:
    began = sample("runaway_suspected", subject="account", evidence={**_SUM, "scope": "account"})
    ended = sample("runaway_ended", subject="account", evidence={**_SUM, "scope": "account"})
    assert _headline(policy, ended, began).startswith(
        "🟢 The keys of the account have calmed down together. It burned $486/h"
    )
    assert incident_key(began) == incident_key(ended) == "runaway#account"


def test_a_disable_that_was_not_needed_calls_nobody(policy: Policy, sample: Sample) -> None:
    event = sample("disable_withheld", reason="The event is 40 minutes old.", evidence={"rule": "stale"})
    assert _headline(policy, event) == (
        "🟠 Governor did not disable prod-checkout. The event is 40 minutes old. Lost: $31."
    )


def test_a_lifted_cause_is_told_from_a_refused_restore(policy: Policy, sample: Sample) -> None:
    event = sample(
        "restore_refused", evidence={"rule": "other_cause_stands", "requested_by": "U0LEAD", "standing": ["exposed"]}
    )
    assert _headline(policy, event) == (
        "🟠 prod-search-agent stays disabled: U0LEAD lifted the cause runaway, and exposed still holds its keys."
    )


def test_the_end_tells_what_it_ended_not_its_own_quiet_rate(policy: Policy, sample: Sample) -> None:
    headline = _headline(policy, sample("runaway_ended"), sample("runaway_confirmed"))
    assert "It burned $498/h (20× its habit). Lost: $31. Its key was not disabled." in headline


def test_the_end_does_not_claim_a_disabled_key_was_spared(policy: Policy, sample: Sample) -> None:
    assert "not disabled" not in _headline(policy, sample("runaway_ended"), sample("key_disabled"))


def test_a_dry_run_says_that_the_key_still_works_and_who_must_decide(policy: Policy, sample: Sample) -> None:
    undeclared = sample("runaway_confirmed", subject="ab" * 32, evidence={"name": "lab<1>"})
    assert _headline(policy, undeclared) == (
        "🔴 lab<1> (undeclared key abababab…) is running away: $498/h (20× its habit), $31 in the last 15 min. "
        "Its key still works: the policy says to alert only. U0LEAD or U0SEC must decide. "
        "No workload declares this key."
    )


def test_tier_zero_is_told_before_anybody_waits_for_governor(policy: Policy, sample: Sample) -> None:
    for name in ("runaway_suspected", "runaway_confirmed", "key_exposed"):
        assert "tier 0" in _headline(policy, sample(name, subject="prod-checkout"))


def test_a_budget_used_up_says_what_openrouter_does_and_what_governor_does(policy: Policy, sample: Sample) -> None:
    full = sample("budget_threshold_reached", evidence={"threshold": 1.0, "spent_usd": 201.3, "disable": True})
    headline = _headline(policy, full)
    assert headline.startswith(
        "🔴 prod-search-agent has spent $201.30 of its $200 monthly key limit (101 %). OpenRouter"
    )
    assert "Governor disables its keys now" in headline


@pytest.mark.parametrize(
    ("scope", "said"),
    [("guardrail", "of the $200 monthly limit of guardrail G"),
     ("workspace", "Workspace G has spent $160.40 of its $200"),
     ("credits", "The account has spent $160.40 of its $200 of credits")],
)  # fmt: skip
def test_every_layer_of_budget_is_named(policy: Policy, sample: Sample, scope: str, said: str) -> None:
    event = sample(
        "budget_threshold_reached", subject="prod-search-agent", evidence={"scope": scope, "scope_name": "G"}
    )
    assert said in _headline(policy, event)


CREDITS = {
    "left_usd": 480.0,
    "reached_usd": [500.0],
    "present_usd_per_hour": 150.0,
    "usual_usd_per_hour": 10.0,
    "hours_at_present": 3.2,
    "hours_at_usual": 48.0,
    "top_spenders": [["prod-search-agent", 120.0]],
}


def _credits(sample: Sample, **credits: object) -> Event:
    evidence = {"scope": "credits", "scope_id": "account", "limit_usd": 20_000.0, "credits": {**CREDITS, **credits}}
    return sample("budget_threshold_reached", subject="account", evidence=evidence)


def test_credits_are_told_in_dollars_and_in_hours_at_both_rates(policy: Policy, sample: Sample) -> None:
    told = _read(policy, _credits(sample))
    assert told.headline == (
        "🔴 The account has $480 of credits left. They last 3 h 12 min at the present $150/h, 2 d at the usual $10/h."
    )
    assert "*Largest spenders of the last hour:* prod-search-agent $120" in told.facts
    assert "*Thresholds reached:* $500" in told.facts


def test_credits_that_are_used_up_say_what_openrouter_does(policy: Policy, sample: Sample) -> None:
    headline = _headline(policy, _credits(sample, left_usd=-2.0, reached_usd=[0.0]))
    assert headline.startswith("🔴 The account's credits are used up. OpenRouter refuses paid requests")


def test_an_automatic_top_up_that_did_not_come_says_what_to_check(policy: Policy, sample: Sample) -> None:
    told = _read(policy, _credits(sample, auto_top_up_usd=500.0, auto_top_up_at_usd=1000.0))
    assert any("$500 came three times in a row, at $1,000 or more" in fact for fact in told.facts)
    assert "Check the automatic top-up" in told.todo


def test_a_top_up_begins_a_new_conversation(sample: Sample) -> None:
    assert incident_key(_credits(sample, top_ups=1)) != incident_key(_credits(sample, top_ups=2))


def test_a_budget_without_a_forecast_says_that_nothing_is_blocked(policy: Policy, sample: Sample) -> None:
    event = sample("budget_threshold_reached", evidence={"runs_out_at": None, "resets_at": None, "limit_usd": 1e9})
    assert "Nothing is blocked yet." in _headline(policy, event)


def test_keys_that_are_not_as_intended_are_counted(policy: Policy, sample: Sample) -> None:
    key = sample("key_disabled").evidence["keys"][0]
    mixed = [key, {**key, "hash": "cd" * 32, "state": "foreign"}]
    assert "1 of its 2 keys are disabled." in _headline(policy, sample("key_disabled", evidence={"keys": mixed}))
    assert "All its 2 keys are disabled." in _headline(policy, sample("key_disabled", evidence={"keys": [key, key]}))
    assert "It has no live key." in _headline(policy, sample("key_disabled", evidence={"keys": []}))


def test_every_cause_of_a_disable_has_a_sentence(policy: Policy, sample: Sample) -> None:
    for cause, said in (("budget", "reached the share"), ("exposed", "reported as exposed"), ("operator", "operator")):
        assert said in _headline(policy, sample("key_disabled", evidence={"cause": cause}))
        if cause != "operator":
            assert said in _headline(policy, sample("disable_withheld", evidence={"cause": cause}))


def test_the_human_is_told_what_to_do_where_there_is_something_to_do(policy: Policy, sample: Sample) -> None:
    for name in ("budget_threshold_reached", "runaway_suspected", "restore_refused", "monitor_blind", "key_exposed"):
        assert _read(policy, sample(name)).todo
    assert _read(policy, sample("monitor_recovered")).todo == ""
    assert "Restore Requested" in _read(policy, sample("key_disabled")).todo
    assert "Each hour costs about $498" in _read(policy, sample("disable_withheld")).todo


def test_without_approvers_the_policy_is_named(sample: Sample) -> None:
    assert "add `approvals`" in words(sample("key_disabled"), Policy(version=1), figures(())).headline


def test_text_from_elsewhere_cannot_mention_or_link(policy: Policy, sample: Sample) -> None:
    event = sample("key_exposed", reason="<!channel> look", evidence={"source": "<@U0X>", "url": "<http://e|x>"})
    said = _read(policy, event)
    assert "<!channel>" not in " ".join(said.facts)
    assert "<@U0X>" not in said.headline


def test_what_could_not_be_learned_is_admitted(policy: Policy, sample: Sample) -> None:
    event = sample("key_disabled", evidence={"missing": ["top_models: analytics did not answer"]})
    assert "*Not known:* top_models: analytics did not answer" in _read(policy, event).facts


def test_a_leak_report_is_an_events_word_and_not_that_of_whom_it_names(policy: Policy, sample: Sample) -> None:
    event = sample("key_exposed", evidence={"source": "U0LEAD", "requested_by": "U0SEC"}, reason="U0SEC ordered it.")
    said = words(event, policy, figures((event,)))
    everything = "\n".join((said.headline, *said.facts, said.todo))
    assert "names “U0LEAD” as its source" in everything
    assert "<@U0SEC>" not in everything
    assert "*The event says:* “U0SEC ordered it.”" in everything
    assert "*Why:*" not in everything


def test_a_restore_that_an_event_asks_for_in_vain_names_nobody(policy: Policy, sample: Sample) -> None:
    event = sample("restore_refused", evidence={"rule": "by_event", "requested_by": "an event"})
    assert "Governor refused the restore that an event asked for" in _headline(policy, event)

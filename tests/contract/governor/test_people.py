"""Every field of an event that may name a person, and how that person is known (promise 13).

A name is believed or shown as a fact only where somebody checked it. What only an event says is a claim: nobody acts on
it unless the policy says `approvals.by_event: true`, and a message that repeats it says that an event says so. A new
text field of any evidence fails here until it is listed as no person's, or it is said how the person in it is known.
"""

import ast
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

import governor
from governor.events import REQUESTS, SOURCE, DetailType
from governor.events.evidence import Evidence
from governor.events.publishers import PUBLISHES
from key_planning.settings import received
from tools.event_schemas import EVIDENCE

ROOT = Path(__file__).resolve().parents[3]
Source = Literal["rows", "decision", "policy", "openrouter", "claim"]
"""`rows`: the notifier makes the event again from the ledger and the decisions before it shows it. `decision`: whoever
publishes it has read the votes, or believes an event where the policy says so. `policy`: declared there. `openrouter`:
read from its API. `claim`: what the sender wrote, and nobody checked; the proof shows that it counts for nothing."""


class Known(NamedTuple):
    """How a person in a field is known, and the test that fails where it is not so."""

    source: Source
    proof: str


_ROWS = Known(
    "rows", "tests/unit/notifier/test_truth.py::test_a_forged_request_changes_no_message_above_a_genuine_button"
)
_VOTES = Known("rows", "tests/unit/notifier/test_truth.py::test_a_genuine_grant_names_who_approved_by_the_row")
_LEAK = "tests/unit/notifier/test_wording.py::test_a_leak_report_is_an_events_word_and_not_that_of_whom_it_names"
_RESTORE = (
    "tests/unit/kill_switch/test_granting.py::"
    "test_where_only_clicks_are_believed_an_event_that_names_an_approver_restores_nothing"
)
_ROLLBACK = (
    "tests/unit/key_retirement/test_rollback.py::"
    "test_an_event_gives_nothing_back_where_the_policy_believes_none_and_the_name_in_it_is_not_repeated"
)
_DRILL = (
    "tests/unit/byok_failover/test_drills.py::"
    "test_an_event_that_names_who_asks_is_not_believed_where_the_policy_says_so"
)
_PROMOTION = "tests/unit/preset_promotion/test_unknown.py::test_who_asks_in_vain_is_named_only_where_it_is_known"
_VOTE = "tests/unit/approval_desk/test_service.py::test_a_decision_sent_as_an_event_counts_where_the_policy_believes_it"
_OWNER = Known("policy", "tests/unit/byok_failover/test_reviews.py::test_a_decision_says_why_whose_and_until_when")
_BULK = "tests/unit/key_planning/test_bulk_order.py::test_who_asked_approved_and_paused_is_told_by_the_rows"
PEOPLE: dict[str, Known] = {
    "ApprovalEvidence.requested_by": _ROWS,
    "ApprovalEvidence.approvers": _ROWS,
    "ApprovalEvidence.author": _ROWS,
    "ApprovalEvidence.approved_by": _VOTES,
    "ApprovalEvidence.decided_by": _VOTES,
    "RunawayExpected.by": Known(
        "rows", "tests/unit/notifier/test_truth.py::test_who_expects_a_spend_is_told_by_the_row"
    ),
    "ApprovalDecided.by": Known("claim", _VOTE),
    "RestoreRequested.requested_by": Known("claim", _RESTORE),
    "RollbackRequested.requested_by": Known("claim", _ROLLBACK),
    "DrillRequested.requested_by": Known("claim", _DRILL),
    "PresetPromotionRequested.requested_by": Known("claim", _PROMOTION),
    "RotationRequested.requested_by": Known(
        "claim", "tests/contract/governor/test_people.py::test_who_asks_for_a_rotation_is_not_even_read"
    ),
    "ReviewRequested.requested_by": Known(
        "claim", "tests/unit/account_review/test_delivery.py::test_who_asks_for_a_review_is_not_even_read"
    ),
    "Exposed.requested_by": Known(
        "claim",
        "tests/unit/kill_switch/test_granting.py::"
        "test_where_only_clicks_are_believed_an_approvers_report_is_a_report_like_any_other",
    ),
    "Exposed.source": Known("claim", _LEAK),
    "Restore.requested_by": Known("decision", _RESTORE),
    "Rotated.requested_by": Known("decision", _ROLLBACK),
    "BulkRotation.requested_by": Known("decision", _BULK),
    "BulkRotation.approved_by": Known("decision", _BULK),
    "BulkRotation.said_by": Known("decision", _BULK),
    "DrillResult.by": Known("decision", _DRILL),
    "Promotion.requested_by": Known("decision", _PROMOTION),
    "Promotion.approved_by": Known(
        "decision",
        "tests/e2e/test_presets.py::"
        "test_asked_by_command_approved_by_another_promoted_rolled_back_and_drift_reverted",
    ),
    "PresetDrift.author": Known(
        "openrouter", "tests/faults/preset_promotion/test_edits.py::test_the_message_of_an_edit_says_who_made_it"
    ),
    "MemberDeparted.member": Known(
        "openrouter",
        "tests/faults/test_members_leaving.py::test_a_member_who_is_missing_from_two_lists_in_a_row_is_told_once_with_their_keys",
    ),
    "MemberDeparted.slack": Known(
        "policy",
        "tests/unit/notifier/test_departures.py::test_it_says_who_left_which_keys_stay_and_that_nothing_was_changed",
    ),
    "DepartedKey.creator": Known(
        "policy",
        "tests/unit/notifier/test_departures.py::"
        "test_a_key_that_would_be_made_anew_in_the_leavers_name_is_reassigned_in_the_policy_first",
    ),
    "OfDecision.owner": _OWNER,
    "ReviewDue.slack": _OWNER,
    "CredentialRotated.owner": Known(
        "policy", "tests/e2e/test_credentials.py::"
        "test_a_new_key_is_put_and_proven_and_one_that_the_provider_refuses_gives_way"
    ),
    "Drain.top_users": Known(
        "openrouter",
        "tests/unit/key_retirement/test_draining.py::"
        "test_who_uses_an_old_key_is_asked_no_further_back_than_analytics_answers"
    ),
    "BudgetReached.scope_id": Known(
        "openrouter",
        "tests/unit/spend_meter/test_budget_scopes.py::"
        "test_a_members_guardrail_counts_all_the_keys_they_created_in_every_workspace_and_disables_none",
    ),
}  # fmt: skip
NOBODY = frozenset({
    "about", "approval", "author_unknown", "because", "behind", "blocks_first", "chain", "change", "command",
    "comment",
    "credential_id", "detail", "detail_type", "digest", "due", "error", "event", "exit", "expected", "failing", "field",
    "file",
    "findings", "found", "hash", "id", "live", "missing", "name", "new_apps", "new_models", "nonce", "order",
    "override_of", "passed_over",
    "period", "policy", "promotion", "proof", "provider", "providers", "reason", "repair", "rule", "run", "scope",
    "scope_name", "secret", "served_by", "shown", "step", "subject", "todo", "top_apps", "top_models", "trigger",
    "unread", "url", "why", "workload", "workloads", "workspace", "workspace_id",
})  # fmt: skip
"""Names of text fields that hold no person. `comment` and `reason` hold a person's words, `name` never a person's."""


def _evidence() -> Iterator[type[Evidence]]:
    """Every model of evidence there is, found by importing all of the layer."""
    for module in pkgutil.iter_modules(governor.__path__):
        importlib.import_module(f"governor.{module.name}")
    waiting: list[type[Evidence]] = [Evidence]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one is not Evidence and one.__module__.startswith("governor."):
            yield one


def _texts() -> set[str]:
    """`Model.field` of each field that may hold text, where it is declared."""
    return {
        f"{model.__name__}.{name}"
        for model in _evidence()
        for name, kind in inspect.get_annotations(model).items()
        if _is_text(kind)
    }


def _is_text(kind: object) -> bool:
    """Free text, alone or within something; a `Literal` says no more than its few words."""
    return kind is str or (typing.get_origin(kind) is not Literal and any(map(_is_text, typing.get_args(kind))))


def test_every_text_in_an_event_is_no_persons_or_it_is_said_how_the_person_is_known() -> None:
    unknown = sorted(one for one in _texts() if one not in PEOPLE and one.partition(".")[2] not in NOBODY)
    assert unknown == [], "say in PEOPLE how the person is known, or in NOBODY that the field names none"


def test_the_tables_name_nothing_that_is_gone() -> None:
    texts = _texts()
    assert set(PEOPLE) <= texts
    assert {one.partition(".")[2] for one in texts} >= NOBODY


@pytest.mark.parametrize("field", PEOPLE)
def test_how_a_person_is_known_has_a_test_that_exists(field: str) -> None:
    path, _, name = PEOPLE[field].proof.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("kind", DetailType)
def test_what_anybody_may_send_holds_claims_only_and_what_governor_says_holds_none(kind: DetailType) -> None:
    named = {field: known for field, known in PEOPLE.items() if field.partition(".")[0] == EVIDENCE[kind].__name__}
    claims = {field for field, known in named.items() if known.source == "claim"}
    assert claims == (set(named) if kind in REQUESTS else set())
    if kind not in REQUESTS:
        # The bus takes it from the roles of these functions alone (tests/contract/template/test_publishers.py).
        assert any(kind in types for types in PUBLISHES.values())


def test_who_asks_for_a_rotation_is_not_even_read() -> None:
    for source in ("operator", SOURCE):
        event = {
            "id": "e1", "detail-type": "Rotation Requested", "source": source, "time": "2026-03-11T02:44:00Z",
            "detail": {"subject": "prod-search-agent", "evidence": {"requested_by": "U0LEAD"}},
        }  # fmt: skip
        assert "U0LEAD" not in repr(received(event))

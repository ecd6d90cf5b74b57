"""Two people means two: whoever saved a version is never the only one who approved it, whatever befalls a call."""

from collections.abc import Iterator

import pytest

from governor.approvals.approval import Vote
from governor.ledger import Put
from governor.ledger.dynamodb import DynamoLedger
from tests.faults.clients import client
from tests.faults.harness import Wire, case
from tests.faults.preset_promotion.opening import Worlds, worlds
from tests.faults.preset_promotion.promises import BEFORE, CANDIDATE, assert_kept, befall, mishaps, run
from tests.faults.preset_promotion.world import SLUG, STAGING, World

LEAD, SEC, NOBODY = "user_fake_lead", "user_fake_sec", "user_fake_machine"
"""U0LEAD at OpenRouter; U0SEC, whom the policy does not know there; and a user whom nobody knows."""


@pytest.fixture
def patient(wire: Wire) -> Iterator[Worlds]:
    """Worlds in which nothing is asked for by itself."""
    with worlds(wire, watch=False) as stage:
        yield stage


def _staged(fresh: Worlds, member: str) -> World:
    world = fresh()
    run(world, world.tick())
    world.save(STAGING, *CANDIDATE, member=member)
    return world


def _refused(world: World, by: str) -> str:
    """By which rule the vote is refused."""
    standing = world.approvals().get(world.asked())
    assert standing
    voted = world.approvals().vote(world.asked(), standing.request.digest, Vote(by, by, "approve", world.now))
    assert voted.outcome == "refused"
    return voted.rule


def _outvoted(world: World, *by: str) -> None:
    """The decision's row says that these approved it, whatever the rules were by which they were counted."""
    world.decide("U0SEC")
    decisions = DynamoLedger(client("dynamodb"), "decisions")
    row = decisions.get("decision", world.asked())
    assert row
    votes = [{**row.data["votes"][0], "id": one, "by": one} for one in by]
    decisions.commit(Put("decision", row.sk, {**row.data, "state": "granted", "votes": votes}, row.version))


def _void(world: World) -> str:
    """The reason that people are told; production is as it was."""
    assert world.versions() == [BEFORE]
    assert world.outcomes()[-1] == "void"
    return str([one["Detail"]["reason"] for one in world.told if one["DetailType"] == "Approval Voided"][-1])


def test_an_author_who_is_an_approver_cannot_approve_and_another_can(patient: Worlds) -> None:
    world = _staged(patient, LEAD)
    run(world, world.request(by="U0DEV"))
    asked = world.last("Approval Requested")
    assert (asked["author"], asked["author_unknown"], asked["needed"]) == ("U0LEAD", "", 1)
    assert _refused(world, "U0LEAD") == "own_version"
    world.decide("U0SEC")
    run(world, world.granted())
    assert world.serves() == CANDIDATE
    assert world.rows("promotion").popitem()[1]["source"][2] == LEAD


def test_a_version_of_an_unknown_author_needs_two(patient: Worlds) -> None:
    world = _staged(patient, NOBODY)
    run(world, world.request())
    asked = world.last("Approval Requested")
    assert (asked["author"], asked["needed"]) == ("", 2)
    assert asked["author_unknown"] == f"the policy's people does not say who {NOBODY} is in Slack"
    world.decide("U0LEAD")
    run(world, world.tick())
    assert world.versions() == [BEFORE]
    world.decide("U0SEC")
    run(world, world.granted())
    assert world.serves() == CANDIDATE
    assert world.last("Preset Promoted")["approved_by"] == ["U0LEAD", "U0SEC"]


def test_a_version_of_which_openrouter_names_no_creator_needs_two(patient: Worlds) -> None:
    world = _staged(patient, "")
    organization = world.simulator.organization
    version = organization.preset(organization.workspace(STAGING).id, SLUG).designated
    object.__setattr__(version, "creator_id", None)
    run(world, world.request())
    asked = world.last("Approval Requested")
    assert (asked["needed"], asked["author_unknown"]) == (2, "OpenRouter does not say who saved the version")


def test_a_watched_version_needs_another_than_its_author_and_two_where_nobody_knows_who_that_is(fresh: Worlds) -> None:
    for member, needed in ((LEAD, 1), (NOBODY, 2)):
        world = _staged(fresh, member)
        run(world, world.tick())
        asked = world.last("Approval Requested")
        assert (asked["requested_by"], asked["needed"]) == ("governor", needed)
    assert _refused(_asked_by_tick(fresh, LEAD), "U0LEAD") == "own_version"


def _asked_by_tick(fresh: Worlds, member: str) -> World:
    world = _staged(fresh, member)
    run(world, world.tick())
    return world


@pytest.mark.parametrize("by_event", [True, False])
def test_whom_an_event_names_as_the_asker_is_no_second_person(by_event: bool, wire: Wire) -> None:
    """Nobody's version, asked for in another's name: two approve it all the same."""
    with worlds(wire, watch=False, by_event=by_event) as fresh:
        world = _staged(fresh, NOBODY)
        run(world, world.request(by="U0DEV"))
        asked = world.last("Approval Requested")
        assert asked["requested_by"] == ("U0DEV" if by_event else "an event")
        assert asked["needed"] == 2
        world.decide("U0LEAD")
        run(world, world.tick())
        assert world.versions() == [BEFORE]


def test_the_policy_may_say_that_one_will_do(wire: Wire) -> None:
    with worlds(wire, watch=False, approvals_if_author_unknown=1) as fresh:
        world = _staged(fresh, NOBODY)
        run(world, world.request())
        assert world.last("Approval Requested")["needed"] == 1
        world.decide("U0LEAD")
        run(world, world.granted())
        assert world.serves() == CANDIDATE


@pytest.mark.parametrize(
    ("member", "by", "said"),
    [
        (NOBODY, "U0LEAD", "2 approvals are needed, because the policy's people does not say who user_fake_machine is "
                           "in Slack, and only 1 of its 2 approvers may approve it (U0LEAD asked for it)"),
        (LEAD, "U0SEC", "1 approval is needed, and only 0 of its 2 approvers may approve it (U0SEC asked for it and "
                        "U0LEAD saved the version)"),
    ],
)  # fmt: skip
def test_what_nobody_could_approve_is_told_before_anything_is_paid(
    member: str, by: str, said: str, patient: Worlds
) -> None:
    world = _staged(patient, member)
    for _ in range(2):
        run(world, world.request(by=by))
    assert world.kinds() == ["Preset Promotion Failed"]
    told = [one["Detail"] for one in world.told][-1]
    assert told["evidence"]["rule"] == "not_enough_approvers"
    assert said in told["reason"]
    assert told["evidence"]["usd"] == 0
    assert world.record()["candidate"] is None


@pytest.mark.parametrize(
    ("member", "voters", "said"),
    [
        (LEAD, ["U0LEAD"], "U0LEAD saved the version, and so may not approve it"),
        (LEAD, ["U0SEC", "U0LEAD"], "U0LEAD saved the version, and so may not approve it"),
        (SEC, ["U0SEC"], "2 approvals are needed, and 1 counted (U0SEC), because the policy's people does not say who"),
        (LEAD, [], "1 approval is needed, and 0 counted"),
        (LEAD, ["U0DEV"], "U0DEV asked for it, and so may not approve it"),
        (LEAD, ["U0STRANGER"], "U0STRANGER is not among the approvers that the policy names"),
    ],
)
def test_whoever_acts_counts_the_votes_again_and_says_what_is_missing(
    member: str, voters: list[str], said: str, patient: Worlds
) -> None:
    world = _staged(patient, member)
    run(world, world.request())
    if member == SEC:
        world.decide("U0LEAD")
    _outvoted(world, *voters)
    run(world, world.granted())
    assert said in _void(world)


def test_a_request_of_before_the_update_is_void_where_one_person_alone_stands_behind_it(patient: Worlds) -> None:
    """Older rows hold no creator, and their requests no author."""
    world = _staged(patient, NOBODY)
    run(world, world.request())
    ledger = DynamoLedger(client("dynamodb"), "ledger")
    (row,) = [row for row in ledger.rows("approval") if row.sk == world.asked()]
    older = {name: value for name, value in row.data.items() if not name.startswith("author")}
    ledger.commit(Put("approval", row.sk, {**older, "needed": 1}, row.version))
    record = ledger.get("preset", SLUG)
    assert record
    candidate = {**record.data["candidate"], "version": record.data["candidate"]["version"][:2]}
    ledger.commit(Put("preset", SLUG, {**record.data, "candidate": candidate}, record.version))
    world.decide("U0LEAD")
    run(world, world.granted())
    assert "2 approvals are needed, and 1 counted (U0LEAD)" in _void(world)


def test_an_override_follows_the_same_rule(patient: Worlds) -> None:
    world = patient()
    run(world, world.tick())
    world.save(STAGING, CANDIDATE[0], {**CANDIDATE[1], "top_k": 5}, member=LEAD)
    run(world, world.request())
    promotion = world.last("Preset Promotion Failed")["promotion"]
    run(world, world.request(by="U0SEC", id="request-2", override_of=promotion))
    assert world.last("Preset Promotion Failed")["rule"] == "not_enough_approvers"
    run(world, world.request(by="U0DEV", id="request-3", override_of=promotion))
    asked = world.last("Approval Requested")
    assert (asked["kind"], asked["author"]) == ("override", "U0LEAD")
    _outvoted(world, "U0LEAD")
    run(world, world.granted())
    assert "U0LEAD saved the version" in _void(world)


@pytest.mark.parametrize("member", [LEAD, NOBODY])
def test_any_call_may_fail_while_votes_that_do_not_suffice_are_acted_on(
    member: str, wire: Wire, patient: Worlds, counted: list[str]
) -> None:
    world = _staged(patient, member)
    run(world, world.request())
    if member == NOBODY:
        world.decide("U0LEAD")
    _outvoted(world, "U0LEAD")
    before = patient.photo()
    for accident in mishaps(wire.calls_of(patient(before).granted())):
        with case(counted, accident):
            world = patient(before)
            befall(world, world.granted(), accident)
            assert world.versions() == [BEFORE]
            assert world.kinds() == ["Approval Requested", "Approval Voided"]
            assert_kept(world)


def test_any_call_may_fail_while_it_is_told_that_nobody_could_approve(
    wire: Wire, patient: Worlds, counted: list[str]
) -> None:
    _staged(patient, NOBODY)
    before = patient.photo()
    for accident in mishaps(wire.calls_of(patient(before).request(by="U0LEAD"))):
        with case(counted, accident):
            world = patient(before)
            befall(world, world.request(by="U0LEAD"), accident)
            assert world.kinds() == ["Preset Promotion Failed"]
            assert_kept(world)


def test_any_call_may_fail_while_a_version_of_two_approvals_is_promoted(
    wire: Wire, patient: Worlds, counted: list[str]
) -> None:
    world = _staged(patient, NOBODY)
    run(world, world.request())
    world.decide("U0LEAD")
    world.decide("U0SEC")
    before = patient.photo()
    for accident in mishaps(wire.calls_of(patient(before).granted())):
        with case(counted, accident):
            world = patient(before)
            befall(world, world.granted(), accident)
            assert_kept(world)
            if world.kinds()[-1] == "Preset Rolled Back":
                # The smoke request was the call that failed, and went on failing.
                assert (accident.lasting, accident.name.endswith("/chat/completions")) == (True, True)
            else:
                assert world.kinds() == ["Approval Requested", "Preset Promoted"]
                assert world.versions() == [BEFORE, CANDIDATE]

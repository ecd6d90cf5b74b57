"""Posts a version to production, proves it, and takes it back when it is not what was approved.

| effect | dies before | dies after, or the answer is lost | twice, beside itself |
|---|---|---|---|
| row `posting` with `until` | the retry, or the next run | a run looks first, after `until` | one wins |
| POST | looked for, not found: posted | looked for, found: proven | nobody else posts before `until` |
| POST, 409 | looked for: posted once more if production is as it was, else given up | | |
| row `landed` | looked for by content | proven | one wins |
| read back, smoke request | again | again (16 tokens) | as again |
| row of what it came to, with its event | proven again | told by whoever looks next | one wins |

No POST leaves without the grant having been read in that invocation, but the one that takes a posting back.
"""

from dataclasses import replace
from datetime import timedelta

from governor.approvals.approval import Approval
from governor.approvals.store import NotGranted
from governor.events import DetailType
from governor.events.preset_evidence import How
from management_api import AuthenticationFailed, Conflict, Deadline, NotFound, OpenRouterError, OutcomeUnknown, Rejected
from preset_promotion import preset_events
from preset_promotion.asking import again, ended
from preset_promotion.content import Content, differences
from preset_promotion.decide import named, whereabouts
from preset_promotion.ports import Live, Turn
from preset_promotion.record import Candidate, Finishing, Posting, Seen, Served
from preset_promotion.settings import KINDS

IN_HAND = timedelta(seconds=90)
"""How long nobody else posts."""
ROOM = timedelta(seconds=45)
"""Kept of that for a request that is still on its way, and for a clock that differs: no POST is under way in it."""
POSTS = 3
"""POSTs of one posting, the lost ones counted."""
SMOKES = 2


def promote(turn: Turn, candidate: Candidate, approval: Approval) -> None:
    """Begins to promote what was approved; the caller has held it against what is there now."""
    _begin(
        turn,
        Posting(
            id=candidate.id, how=candidate.how, by=candidate.by, approval=candidate.approval, origin="from",
            source=candidate.version, former=candidate.base, newest=0, until=turn.ports.clock() + IN_HAND,
            approved_by=approval.approved_by, loosen=candidate.loosen, checks=candidate.checks, shown=candidate.shown,
            usd=candidate.usd,
        ),
    )  # fmt: skip


def put_back(turn: Turn, how: How, approval: Approval, source: Seen, former: Seen) -> None:
    """Begins to post an earlier version of production again."""
    request = approval.request
    _begin(
        turn,
        Posting(
            id=preset_events.thread(approval), how=how, by=request.requested_by, approval=request.id, origin="to",
            source=source, former=former, newest=0, until=turn.ports.clock() + IN_HAND,
            approved_by=approval.approved_by,
        ),
    )  # fmt: skip


def carry_on(turn: Turn) -> None:
    """Goes on with the posting in hand, from wherever it was left."""
    posting = turn.record.posting
    if posting is None:
        return
    wanted = _wanted(turn, posting)
    if wanted is None:
        _fail(turn, posting, "source_missing", f"version {posting.source.number} is not what it was")
        return
    _look(turn, posting, wanted, answered=False)


def _begin(turn: Turn, posting: Posting) -> None:
    # The newest of production is read before the row, the row written before the POST: what is newer is then ours.
    wanted = _wanted(turn, posting)
    versions = _versions(turn)
    posting = replace(posting, newest=max(versions, default=0))
    turn.write(replace(turn.record, posting=posting, candidate=None))
    if wanted is None:
        _fail(turn, posting, "source_missing", f"version {posting.source.number} is not what it was")
        return
    _post(turn, posting, wanted)


def _look(turn: Turn, posting: Posting, wanted: Content, *, answered: bool) -> None:
    """Where a POST went that may or may not have been made, and on from there."""
    found = whereabouts(posting, wanted, _versions(turn), turn.ports.clock(), answered=answered)
    match found.rule:
        case "landed":
            _prove(turn, posting, wanted, found.version)
        case "overtaken":
            why = f"somebody else made version {found.version} of production meanwhile"
            _fail(turn, posting, "production_changed", why, became=found.version)
            if posting.origin == "from":
                staging, production = turn.live(turn.staging), turn.live(turn.production)
                again(turn, posting.id, staging, production, posting.by, loosen=posting.loosen)
        case "absent" if posting.tries < POSTS:
            if not _still_granted(turn, posting):
                return
            next_try = replace(posting, tries=posting.tries + 1, until=turn.ports.clock() + IN_HAND)
            turn.write(replace(turn.record, posting=next_try))
            _post(turn, next_try, wanted)
        case "absent":
            _fail(turn, posting, "outcome_unknown", f"{POSTS} POSTs to production came to nothing")
        case "in_hand":
            turn.ports.log.info("in hand", extra={"preset": turn.preset.slug, "promotion": posting.id})


def _still_granted(turn: Turn, posting: Posting) -> bool:
    if posting.how == "automatic":
        return True  # nobody is asked whether to take back what is not as approved
    try:
        turn.ports.approvals.granted(posting.approval, KINDS)
    except NotGranted as error:
        _fail(turn, posting, "not_granted", f"{error}")
        return False
    return True


def _post(turn: Turn, posting: Posting, wanted: Content) -> None:
    api = turn.production.within(Deadline(lambda: _seconds_to_post(turn, posting)))
    try:
        saved = api.presets.save(turn.preset.slug, wanted.body())
    except OutcomeUnknown:
        # Looked for at once; if it is not there, it may still come: the next run looks again before it posts.
        _look(turn, posting, wanted, answered=False)
    except Conflict:
        if posting.tries > 1:
            _fail(turn, posting, "conflict", "OpenRouter answered 409 twice")
        else:
            _look(turn, posting, wanted, answered=True)
    except Rejected as error:
        _fail(turn, posting, "openrouter_refused", f"OpenRouter answered {error.status}")
    except OpenRouterError:
        # Provably not executed: whoever comes next need not wait for it.
        turn.write(replace(turn.record, posting=replace(posting, until=turn.ports.clock())))
        raise
    else:
        version = saved.designated_version
        if version is None:
            _look(turn, posting, wanted, answered=True)
        else:
            _prove(turn, posting, wanted, version.version)


def _seconds_to_post(turn: Turn, posting: Posting) -> float:
    """None is left to a process that was held up since it wrote its row: somebody else may be posting by now."""
    own = (posting.until - ROOM - turn.ports.clock()).total_seconds()
    return min(own, turn.deadline.seconds_left())


def _prove(turn: Turn, posting: Posting, wanted: Content, landed: int) -> None:
    """Reads back, compares field by field, and asks it once: only then is it done."""
    if posting.landed != landed:
        posting = replace(posting, landed=landed)
        turn.write(replace(turn.record, posting=posting))
    live = turn.live(turn.production)
    if live.content is None or live.seen.number != landed:
        why = f"production serves version {live.seen.number}, which somebody else made after ours ({landed})"
        _fail(turn, posting, "overtaken", why, became=live.seen.number)
        return
    lost = differences(wanted, live.content)
    if lost:
        _take_back(turn, posting, live, "dropped", f"OpenRouter did not keep {named(lost)}")
    elif posting.how in ("promotion", "override") and not _answers(turn):
        _take_back(turn, posting, live, "smoke", f"it did not answer the smoke request, asked {SMOKES} times")
    else:
        _done(turn, posting, live.seen, _old_answers(turn, posting, live.content))


def _answers(turn: Turn) -> bool:
    """Whether the preset, as production's callers reach it, gives an answer."""
    smoke = turn.preset.smoke
    request = {
        "model": f"@preset/{turn.preset.slug}",
        "messages": [{"role": "user", "content": smoke.prompt}],
        "max_tokens": smoke.max_tokens,
    }
    for _ in range(SMOKES):
        try:
            answer = turn.production.chat(request)
        except AuthenticationFailed:
            raise
        except OpenRouterError as error:
            kind = f"{type(error).__name__} {error.status or ''}".strip()
            turn.ports.log.warning("the smoke request was not answered", extra={"error": kind})
        else:
            if answer.choices and answer.choices[0].finish_reason != "error":
                return True
    return False


def _take_back(turn: Turn, posting: Posting, live: Live, rule: str, why: str) -> None:
    """Posts the former version again, if it was ours to take back and there is one."""
    reason = f"{turn.preset.slug}: version {live.seen.number} of production is not as approved: {why}."
    if posting.how not in ("promotion", "override") or not posting.former.number:
        _fail(turn, posting, rule, why, became=live.seen.number)
        return
    event = preset_events.posted(
        turn, DetailType.PRESET_PROMOTION_FAILED, posting, reason, became=live.seen.number, rule=rule
    )  # fmt: skip
    back = replace(
        posting, how="automatic", origin="to", source=posting.former, former=live.seen, newest=live.seen.number,
        until=turn.ports.clock() + IN_HAND, tries=1, landed=0, rule=rule,
    )  # fmt: skip
    turn.write(replace(turn.record, posting=back).telling(event))
    turn.flush()
    wanted = _wanted(turn, back)
    if wanted is None:
        _fail(turn, back, "source_missing", f"version {back.source.number} is not what it was", became=live.seen.number)
        return
    _post(turn, back, wanted)


def _old_answers(turn: Turn, posting: Posting, content: Content) -> str:
    """For how long callers may still get the former version's answers, where both versions let OpenRouter cache."""
    if not content.cached_seconds or not posting.former.number:
        return ""
    former = turn.version(turn.production, posting.former.number).content
    if former is None or not former.cached_seconds:
        return ""
    seconds = former.cached_seconds
    return (
        f"Callers may get answers of version {posting.former.number} from OpenRouter's response cache for up to "
        f"{seconds} s, unless they send X-OpenRouter-Cache: false"
    )


def _done(turn: Turn, posting: Posting, live: Seen, old_answers: str) -> None:
    record, slug = turn.record, turn.preset.slug
    before = record.served
    match posting.how:
        case "promotion" | "override":
            # `former` may be an edit by hand that the approvers saw, but that nobody approved.
            approved = not posting.former.number or (before is not None and before.version == posting.former)
            kind, served = DetailType.PRESET_PROMOTED, Served(live, posting.id, posting.former, approved)
            reason = f"{slug}: production serves version {posting.source.number} of staging, as version {live.number}."
        case "rollback":
            # Nothing to go back to from here: what was left behind is what nobody wants.
            kind, served = DetailType.PRESET_ROLLED_BACK, Served(live, posting.approval)
            reason = f"{slug}: production serves what it served before that promotion, as version {live.number}."
        case _:
            same = before if before and before.version.digest == live.digest else Served(live)
            kind, served = DetailType.PRESET_ROLLED_BACK, replace(same, version=live)
            reason = f"{slug}: production serves version {posting.source.number} again, as version {live.number}."
    said = posting
    if old_answers:
        reason, said = f"{reason} {old_answers}.", replace(posting, shown=(f"⚠ {old_answers}", *posting.shown))
    event = preset_events.posted(turn, kind, said, reason, became=live.number)
    failed = posting.how == "automatic"
    finishing = Finishing(posting.approval, "failed" if failed else "done", posting.rule)
    outcome = {"automatic": "taken back", "rollback": "rolled back", "revert": "reverted"}.get(posting.how, "promoted")
    row = ended(turn, _ended_id(posting), outcome, posting.rule, {**posting.data(), "became": live.data()})
    turn.write(replace(record, posting=None, served=served, finishing=finishing).telling(event), row)
    turn.flush()


def _fail(turn: Turn, posting: Posting, rule: str, why: str, *, became: int = 0) -> None:
    reason = f"{turn.preset.slug}: {_WHAT[posting.how]} failed: {why}."
    event = preset_events.posted(turn, DetailType.PRESET_PROMOTION_FAILED, posting, reason, became=became, rule=rule)
    row = ended(turn, _ended_id(posting), "failed", rule, {**posting.data(), "became": [became, ""]})
    finishing = Finishing(posting.approval, "failed", rule)
    turn.write(replace(turn.record, posting=None, finishing=finishing).telling(event), row)
    turn.flush()


_WHAT: dict[How, str] = {
    "promotion": "the promotion",
    "override": "the promotion",
    "rollback": "the rollback",
    "revert": "to revert",
    "automatic": "to take the promotion back",
    "adopt": "to adopt",
}


def _ended_id(posting: Posting) -> str:
    return posting.id if posting.how in ("promotion", "override", "automatic") else posting.approval


def _wanted(turn: Turn, posting: Posting) -> Content | None:
    """What is to be posted, read again; None when it is not what was approved."""
    api = turn.staging if posting.origin == "from" else turn.production
    found = turn.version(api, posting.source.number)
    return found.content if found.seen == posting.source else None


def _versions(turn: Turn) -> dict[int, Content]:
    try:
        return {one.version: Content.of(one) for one in turn.production.presets.versions(turn.preset.slug)}
    except NotFound:
        return {}

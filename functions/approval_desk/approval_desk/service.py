"""Carries out what people decide: the deed, the note that it is done, then the answer to whoever did it.

The note is one row an interaction (pk `interaction`, sk its id). It is written first when the person is admitted or
refused, so that this is judged once, whatever Slack says of them at a later delivery, or to a copy of this one. A
replay finds what was done and does nothing; a retry after a crash finds an admission only, and does the same again,
under the same ids. An answer that does not reach the person undoes nothing and repeats nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from approval_desk import bulk_orders, commands, reports, voting
from approval_desk.admission import EVERYBODY, FREE, admit
from approval_desk.decide import decide, request_id
from approval_desk.facts import Decision, Facts, Via
from approval_desk.modal import why_modal
from approval_desk.parsing import Command, command_of, is_hash
from approval_desk.ports import Ports
from approval_desk.sentences import CLICK_AGAIN, of_vote
from approval_desk.settings import Commanded, Decided
from governor.approvals.approval import Vote
from governor.approvals.authorship import PRESET_ROWS
from governor.approvals.store import NotGranted
from governor.aws_identity import Proof, Unproven, digest, interaction_id
from governor.keys.bulk_order import KIND
from governor.keys.causes import Causes, CauseStore
from governor.keys.lineage import Lineages
from governor.keys.owners import owners
from governor.ledger import ABSENT, LedgerConflict, Put, Row
from governor.policy import Workload
from governor.slack.channel import SlackError, SlackRefused
from governor.slack.identity import Identity
from governor.slack.requests import SlackRequest

PK = "interaction"
KEPT = timedelta(days=30)
"""Longer than a message can lie in the queue and its dead letters together."""
ANSWERS = 3
"""Deliveries after which a person who cannot be answered is left without."""
_ASKING = ("disable", "restore", "rollback", "adopt", "revert", "drill", "rollback-key")


@dataclass(frozen=True)
class ApprovalDesk:
    """What outlives an invocation."""

    ports: Ports

    def expire(self) -> int:
        """Ends requests whose time is over; how many. Raises `PublishFailed` or an AWS error."""
        return voting.expire(self.ports)

    def decided(self, decided: Decided) -> str:
        """Counts a decision that came as an event, where the policy believes one; the rule by which it went."""
        word = decided.word
        if not self.ports.policy.believes_events or self._takes_clicks(word.approval):
            rule = "by_event"
        else:
            cast = Vote(decided.id, word.by, word.verdict, self.ports.clock(), word.comment)
            rule = voting.vote(self.ports, word.approval, word.digest, cast).rule
        self.ports.log.info("decided", extra={"approval": word.approval, "by": word.by, "rule": rule})
        return rule

    def _takes_clicks(self, id: str) -> bool:
        """Whether no event counts, whatever the policy believes: one sender could name two people, and every key would
        follow (decision 54)."""
        approval = self.ports.approvals.get(id)
        return approval is not None and approval.request.kind == KIND

    def act(self, request: SlackRequest, deliveries: int) -> str:
        """Does what the person wants, once, and tells them; the rule by which it went.

        Raises what kept it from being done (an AWS error, `LedgerConflict`, `PublishFailed`), or `SlackError` while
        only the answer is missing and worth another delivery.
        """
        wanted = command_of(request)
        row = self.ports.ledger.get(PK, request.id)
        mine = True
        if row is None:
            row, mine = self._admit(request, wanted)
        return self._see_through(request, wanted, "Slack", row, mine, deliveries)

    def commanded(self, commanded: Commanded) -> str:
        """Does what somebody on the command line wants, once; the rule by which it went (`approval_desk.commands`).

        The answer stands in the interaction's row, where the command line reads it. Raises as `act` does, and
        `StsUnavailable`.
        """
        ports, word = self.ports, commanded.word
        try:
            proof = Proof.decode(word.proof)
            bound = digest(ports.stack, word.command, word.nonce)
            id = interaction_id(bound, proof)
            row, mine = ports.ledger.get(PK, id), True
            if row is None:
                row, mine = self._write(
                    id, commands.admission(ports.policy, commands.signer(ports, proof, bound)), ABSENT
                )
        except Unproven as refusal:
            ports.log.warning("a command proves no identity", extra={"rule": refusal.rule, "why": str(refusal)})
            return refusal.rule
        request = commands.asked(id, proof, row.data, word.command)
        rule = self._see_through(request, command_of(request), "the command line", row, mine, 1)
        ports.log.info("acted", extra={"by": request.user, "arn": row.data.get("arn"), "rule": rule})
        return rule

    def _see_through(
        self, request: SlackRequest, wanted: Command, via: Via, row: Row, mine: bool, deliveries: int
    ) -> str:
        """From the admission on: the deed, the note, the answer."""
        if "rule" not in row.data:
            rule, said = self._do(request, wanted, via)
            row, mine = self._write(request.id, {**row.data, "rule": rule, "said": said, "told": not said}, row.version)
        if mine and not row.data["told"]:
            self._tell(request, str(row.data["said"]), deliveries)
            try:
                self._write(request.id, {**row.data, "told": True}, row.version)
            except LedgerConflict:
                self.ports.log.info("that they were told is not noted", extra={"interaction": request.id})
        return str(row.data["rule"])

    def _admit(self, request: SlackRequest, wanted: Command) -> tuple[Row, bool]:
        """Judges whether the person may use Governor at all, and notes it before anything is done."""
        admission = EVERYBODY
        if wanted.verb not in FREE:
            identity = self._identity(request.user)
            admission = admit(request, wanted, identity, self.ports.policy, self._workload(wanted.subject))
            if admission.rule in ("named", "unread"):
                facts = {"by": request.user, "rule": admission.rule, "error": str(identity.unread)}
                self.ports.log.warning("Slack did not say who a person is", extra=facts)
        if admission.said:
            return self._write(request.id, {"rule": admission.rule, "said": admission.said, "told": False}, ABSENT)
        return self._write(request.id, {"admitted": admission.rule}, ABSENT)

    def _identity(self, user: str) -> Identity:
        directory = self.ports.directory
        if directory is None:
            return Identity(None, None, SlackRefused("no_token", "Deploy with `SlackSecretName` (README, step 5)."))
        return directory.look_up(user)

    def _workload(self, subject: str) -> Workload | None:
        """The workload of this name, or the one whose lineage holds the key of this hash."""
        policy = self.ports.policy
        if policy.workload(subject) or not is_hash(subject):
            return policy.workload(subject)
        return policy.workload(owners(self.ports.ledger).get(subject, ""))

    def _write(self, id: str, data: Mapping[str, Any], version: int) -> tuple[Row, bool]:
        """The interaction's row after this write, and True; or as a copy beside this one wrote it first, and False: the
        copy answers. Raises `LedgerConflict` when neither was written."""
        put = Put(PK, id, data, version, self.ports.clock() + KEPT)
        try:
            self.ports.ledger.commit(put)
        except LedgerConflict:
            row = self.ports.ledger.get(PK, id)
            if row is None or row.version == version:
                raise
            return row, False
        return Row(PK, id, version + 1, data), True

    def _do(self, request: SlackRequest, wanted: Command, via: Via) -> tuple[str, str]:
        """The rule, and what to say."""
        if wanted.verb in bulk_orders.VERBS:
            return bulk_orders.act(self.ports, request, wanted)
        decision = decide(wanted, self._facts(request, wanted, via))
        cast = Vote(request.id, request.user, "approve", self.ports.clock())
        match decision.action:
            case "vote":
                return self._vote(request, wanted, cast)
            case "ask_why":
                return self._ask_why(request, wanted, cast)
            case "order" if decision.asked:
                return self._order(decision, cast)
            case "ask" if decision.asked:
                voting.ask(self.ports, decision.asked)
            case "publish" if decision.event:
                if decision.note:
                    self._note(decision.note)
                self.ports.bus.publish([decision.event])
            case "report":
                return decision.rule, self._report(decision.rule)
        return decision.rule, decision.said

    def _facts(self, request: SlackRequest, wanted: Command, via: Via) -> Facts:
        ports = self.ports
        facts = Facts(request, ports.policy, ports.clock(), self._workload(wanted.subject), via=via)
        if wanted.verb not in _ASKING:
            return facts
        own = ports.approvals.get(request_id(request))
        if own or (wanted.verb == "disable" and ports.policy.any_member_may_disable(facts.tier)):
            return replace(facts, own=own)
        about_a_key = wanted.verb in ("restore", "rollback-key")
        causes = CauseStore(ports.ledger).causes(wanted.subject) if about_a_key else Causes()
        lineage = Lineages(ports.ledger).get(wanted.subject) if wanted.verb == "rollback-key" else None
        row = ports.ledger.get(PRESET_ROWS, wanted.subject) if wanted.verb in ("rollback", "adopt") else None
        facts = replace(facts, preset_row=row.data if row else None)
        return replace(facts, causes=causes, lineage=lineage, pending=ports.approvals.pending())

    def _vote(self, request: SlackRequest, wanted: Command, cast: Vote) -> tuple[str, str]:
        verdict = replace(
            cast, verdict="reject" if wanted.verb == "reject" else "approve", comment=wanted.detail.get("reason", "")
        )
        voted = voting.vote(self.ports, wanted.subject, wanted.detail.get("digest", ""), verdict)
        return voted.rule, of_vote(voted)

    def _ask_why(self, request: SlackRequest, wanted: Command, cast: Vote) -> tuple[str, str]:
        """Whoever may not reject it is told so at once, and not asked why."""
        foreseen = voting.foresee(
            self.ports, wanted.subject, wanted.detail.get("digest", ""), replace(cast, verdict="reject")
        )
        if foreseen.outcome == "refused" or foreseen.approval is None:
            return foreseen.rule, of_vote(foreseen)
        assert self.ports.replies is not None
        try:
            self.ports.replies.open_view(
                request.trigger_id, why_modal(wanted, request.channel, foreseen.approval.request)
            )
        except SlackError as error:
            self.ports.log.warning("the reason could not be asked for", extra={"error": str(error)})
            return "not_asked_why", CLICK_AGAIN
        return "asked_why", ""

    def _order(self, decision: Decision, cast: Vote) -> tuple[str, str]:
        assert decision.asked is not None
        try:
            voting.order(self.ports, decision.asked, cast)
        except NotGranted as refusal:
            return "not_granted", f"It is not done: {refusal}."
        return decision.rule, decision.said

    def _note(self, put: Put) -> None:
        """The newest word stands, whatever stood there."""
        for _ in range(voting.ATTEMPTS):
            row = self.ports.ledger.get(put.pk, put.sk)
            try:
                return self.ports.ledger.commit(replace(put, expect=row.version if row else put.expect))
            except LedgerConflict as conflict:
                lost = conflict
        raise lost

    def _report(self, which: str) -> str:
        ports = self.ports
        now, lineages = ports.clock(), Lineages(ports.ledger).all()
        if which == "keys":
            return reports.keys(ports.policy, lineages, now)
        store = CauseStore(ports.ledger)
        causes = {workload.name: store.causes(workload.name) for workload in ports.policy.workloads}
        return reports.status(causes, lineages, ports.approvals.pending(), now)

    def _tell(self, request: SlackRequest, said: str, deliveries: int) -> None:
        """Raises `SlackError` while another delivery may still reach the person."""
        replies = self.ports.replies
        if replies is None:
            return
        try:
            if request.response_url:
                replies.respond(request.response_url, said)
            elif request.channel:
                replies.ephemeral(request.channel, request.user, said)
            elif request.kind != "command":
                replies.direct(request.user, said)  # a button of the Home is in no channel
        except SlackError as error:
            self.ports.log.warning("the person was not answered", extra={"error": str(error)})
            if deliveries < ANSWERS and not isinstance(error, SlackRefused):
                raise

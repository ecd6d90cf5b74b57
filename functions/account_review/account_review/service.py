"""Reviews the account: reads, judges, keeps what it made, and tells people once.

| effect | dies before | dies after | twice, beside itself |
|---|---|---|---|
| objects in S3 | the run begins again | they are written again, whole | the same names: the later one stands |
| memory | nothing is told; what was new is new again | the run goes on with the same news | one wins, one raises |
| message | posted by the next try | found by its metadata, not posted again | memory let one copy through |
| file | uploaded by the next try | one more file, if its note in memory was lost | as the message |
| event | published by the next try | the same id: consumers drop it | as above |

Nothing is written at OpenRouter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from account_review.account_reading import Reader
from account_review.analytics_questions import Asker
from account_review.decide import judge
from account_review.facts import Facts, price_of
from account_review.facts_json import evidence, facts_json
from account_review.focus import costs_csv, findings_csv, focus
from account_review.memory import Memory, Remembered
from account_review.money import money
from account_review.of_models import listed, uses
from account_review.page import page
from account_review.past import Deeds, deeds
from account_review.ports import COSTS, FACTS, FINDINGS, FOCUS, KINDS, PAGE, Ports
from account_review.report import Report
from account_review.settings import Run
from account_review.shelf import LATEST
from account_review.standing import compare
from account_review.summary import color, lines, plain
from governor.approvals.store import DECISIONS, REQUESTS
from governor.events import DetailType, Event, event_id
from governor.events.published import partition
from governor.slack.channel import Message
from management_api import Deadline

RECORDS = (
    "kill_switch", "key_rotation", "key_retirement", "credential_rotation", "byok_failover", "preset_promotion",
)  # fmt: skip
"""Whose deeds are counted; the meter's alerts are not deeds, and too many to read."""
MESSAGE, FILE, MAIL = "message", "file", "mail"


@dataclass(frozen=True)
class AccountReview:
    """What outlives an invocation."""

    ports: Ports

    def act(self, run: Run, remaining: Callable[[], float]) -> Report:
        """Raises what kept the review from being made or told; Lambda tries again, and the run goes on."""
        ports = self.ports
        stored = ports.memory.get()
        memory = Memory.decode(stored.content or b"") if stored else Memory()
        known = memory.starting(run.id)
        account = ports.connect(Deadline(remaining))
        asker = Asker(account.analytics)
        facts = Reader(account, asker, ports.key_since).read(ports.clock(), known.prices)
        findings = compare(judge(facts, ports.policy), known.findings, facts, ports.policy)
        sums = money(facts, ports.policy, asker)
        report = Report(run.id, ports.name, facts, findings, sums, self._deeds(facts.now))
        self._keep(report)
        memory = memory.ended(run.id, Remembered(findings.memory, self._prices(facts, known)))
        tag = ports.memory.put(memory.encode(), stored.etag if stored else None)
        self._tell(report, memory, tag)
        ports.bus.publish([_event(report)])
        unread = len(report.unread())
        ports.log.info("reviewed", extra={"run": run.id, "questions": asker.asked, "unread": unread})
        return report

    def _prices(self, facts: Facts, known: Remembered) -> dict[str, Any]:
        """Of every model that something relies on: what the next review compares with. Unread is not repriced."""
        catalogue = listed(facts)
        prices = {} if catalogue else dict(known.prices)
        for use in uses(facts, self.ports.policy):
            model = catalogue.get(use.model)
            if model:
                prices[model.id] = price_of(model)
            elif use.model in known.prices:
                prices[use.model] = known.prices[use.model]
        return prices

    def _deeds(self, now: datetime) -> Deeds:
        ports = self.ports
        events = [
            Event.received(row.data) for name in RECORDS for row in ports.ledger.rows(partition(name))
        ]  # an event once stored can be read
        requests = {row.sk: row.data for row in ports.ledger.rows(REQUESTS) if "#" not in row.sk}
        decisions = {row.sk: row.data for row in ports.decisions.rows(DECISIONS)}
        return deeds(events, requests, decisions, now, ports.policy.review.governor_usd_per_month)

    def _keep(self, report: Report) -> None:
        slugs = {place.workspace.id: place.slug for place in report.facts.places}
        document = facts_json(report)
        made = {
            PAGE: page(report),
            FINDINGS: findings_csv(report.rows()),
            COSTS: costs_csv(report.money.costs.tables),
            FOCUS: focus(report.facts.activity, slugs, report.name),
            FACTS: document,
        }
        for name, content in made.items():
            self.ports.shelf.put(f"{report.run}/{name}", content, KINDS[name])
        self.ports.shelf.put(LATEST, document, KINDS[FACTS])

    def _tell(self, report: Report, memory: Memory, tag: str) -> None:
        """In Slack, or by mail where there is none; each step once, as far as memory can tell."""
        channel = self.ports.channel
        if channel is None:
            if MAIL not in memory.delivered:
                text = plain(lines(report, self._link(report)))
                self.ports.topic.send(f"[Governor] {text.splitlines()[0]}", text)
                self._note(memory, tag, MAIL)
            return
        if MESSAGE not in memory.delivered:
            metadata = {"kind": "review", "run": report.run}
            if channel.find(metadata) is None:
                channel.post(_message(report, self._link(report)), metadata)
            memory, tag = self._note(memory, tag, MESSAGE)
        if FILE not in memory.delivered:
            title = f"account-review-{report.at:%Y-%m-%d}.html"
            channel.upload(title, page(report), "The whole review as one page: save it, and open it in a browser.")
            self._note(memory, tag, FILE)

    def _link(self, report: Report) -> str:
        return self.ports.shelf.link(f"{report.run}/{PAGE}")

    def _note(self, memory: Memory, tag: str, step: str) -> tuple[Memory, str]:
        after = memory.with_step(step)
        return after, self.ports.memory.put(after.encode(), tag)


def _message(report: Report, link: str) -> Message:
    first, *rest = lines(report, link)
    return Message(text=first, color=color(report), sections=("\n".join(rest),))


def _event(report: Report) -> Event:
    kind = DetailType.ACCOUNT_REVIEWED
    held = evidence(report)
    reason = (
        f"The account was reviewed: ${held.week_usd:,.2f} in seven days, {sum(held.findings.values())} findings open, "
        f"{held.new} of them new."
    )
    return Event(kind, event_id(kind, report.run), "account", report.at, reason, held.model_dump(mode="json"))

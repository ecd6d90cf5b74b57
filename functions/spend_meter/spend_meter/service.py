"""One run: read what stands, read the account, decide, keep, tell. In that order, so that a crash anywhere converges.

Events are kept inside the reading they follow from, in the same conditional write, and published after it: a run that
dies in between has its events published by the next one, under the same ids; a run that loses against another sweep
publishes nothing.

A few lines over 300: the order of a run's steps is the promise, and stands in one place.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from pydantic import SecretStr

from governor.keys.owners import Owned, owned
from governor.policy import Policy
from governor.secrets import SecretMalformed, SecretUnavailable
from governor.storage.readings import ReadingConflict, Stored
from management_api import AuthenticationFailed, Deadline, OpenRouter, OpenRouterError
from spend_meter.absence import confirmed
from spend_meter.baselines import learn_from_analytics
from spend_meter.blindness import ACCOUNT, unreadable
from spend_meter.clock_steps import minute_to_meter, set_back, went_back
from spend_meter.codec import Codec, StateUnreadable
from spend_meter.decide import Decision, decide
from spend_meter.detector_rows import DETECTOR, DetectorRows
from spend_meter.facts import Facts
from spend_meter.learning import Hourly
from spend_meter.periods import minute_of
from spend_meter.ports import Ports
from spend_meter.request_kinds import explain, to_explain
from spend_meter.settings import Tick
from spend_meter.slow_layers import why
from spend_meter.state import State
from spend_meter.subjects import Lineage, Subjects, limits_moved, lineages
from spend_meter.sweep import sweep
from spend_meter.sweep_reading import Reading
from spend_meter.watching import Watching
from spend_meter.woken import Memory, counters_seen, taken_over

KEEPING_SECONDS = 10.0
"""Left aside of the invocation's time, to keep the reading and to publish."""
MARKING_SECONDS = 4.0
"""Left aside of that, to keep the reading once more without the events that are published."""
PUBLISHED_TOGETHER = 100
ASKED_PER_BEAT = 10
"""Workloads whose own key is asked what blocks it first; beyond these an alert goes out without the answer."""
OWNERS_EVERY = 5
"""Minutes after which the lineages' hashes are read again: a query of a kilobyte or two a workload."""


@dataclass(frozen=True)
class Report:
    """What a run came to. `failure`: why the account could not be read; to be raised once the metrics are out.

    `clock_back_minutes`: by how much the clocks went back before this run. `explained`: subject to the policy's
    window of expected spend that held an alarm back. `allowances_used_up`: workloads whose requests OpenRouter refuses
    for their allowance; None where the policy gives none.
    """

    outcome: Literal["metered", "repeated", "overtaken"]
    keys_read: int = 0
    spend_usd: float = 0.0
    unknown_workspaces: int = 0
    api_errors: int = 0
    oldest_reading_seconds: int | None = None
    shrunk_counters: int = 0
    clock_back_minutes: int = 0
    events: Sequence[str] = ()
    top_spenders: Sequence[tuple[str, float]] | None = None
    explained: Mapping[str, str] = MappingProxyType({})
    allowances_used_up: Sequence[str] | None = None
    failure: Exception | None = None


class AccountUnreadable(Exception):
    """Not one workspace could be read; the message says why. The last reading stands, and the next run tries again."""


class SpendMeter:
    """Meters one account. Keeps the decoded state between runs, and trusts it only under the tag it was read with."""

    def __init__(self, policy: Policy, ports: Ports, management_key_secret: str, concurrency: int) -> None:
        self._policy = policy
        self._ports = ports
        self._secret = management_key_secret
        self._concurrency = concurrency
        self._codec = Codec()
        self._watching = Watching()
        self._kept: tuple[str, State] | None = None
        self._owners: tuple[int, Mapping[str, Owned]] | None = None
        self._client: tuple[SecretStr, OpenRouter] | None = None

    def tick(self, tick: Tick, seconds_left: Callable[[], float]) -> Report:
        """Meters one minute. A run that repeats the reading kept only finishes what that one left undone.

        Raises what the store, the ledger and the publisher raise; all of it may be run again.
        """
        scheduled = minute_of(tick.scheduled_at)
        state, etag = self._load(scheduled)
        minute = minute_to_meter(scheduled, minute_of(tick.received_at), state.tick)
        if minute is None:
            self._publish(state, etag, seconds_left)
            return Report("repeated")
        clock_back = max(state.tick + 1 - minute, 0)
        if clock_back:
            news = went_back(state.tick, minute)
            state = set_back(state, clock_back)
            state = replace(state, outbox=(*state.outbox, news)) if news else state
        memory = self._found_since()
        woken = counters_seen(state, memory)
        state = taken_over(state, memory)
        rows = DetectorRows.of(self._ports.ledger.rows(DETECTOR))
        reading, failure = self._read(state, minute, lambda: seconds_left() - KEEPING_SECONDS)
        owners = self._owners_of(minute, reading)
        learned = self._learn(state, reading, minute, owners, lambda: seconds_left() - KEEPING_SECONDS)
        watched = self._ports.watch is not None
        decision = decide(
            Facts(
                state,
                reading,
                minute,
                self._policy,
                rows.rebaselines,
                learned,
                rows.expected,
                owners,
                rows.due,
                woken,
                watched,
            )
        )
        decision = self._ask_what_blocks(decision, lambda: seconds_left() - KEEPING_SECONDS / 2)
        decision = self._explain(decision, lambda: seconds_left() - KEEPING_SECONDS)
        try:
            etag = self._keep(decision.state, etag)
        except ReadingConflict:
            # Another sweep was first; its reading stands, and its events are its own to publish.
            self._kept = None
            return Report("overtaken", failure=failure)
        self._publish(decision.state, etag, seconds_left)
        self._keep_watch(decision, reading, owners, minute)
        self._keep_needs(decision, reading)
        if failure is None and reading.errors and not reading.keys_read and len(reading.errors) >= len(reading.listed):
            failure = AccountUnreadable(next(iter(reading.errors.values())))
        return Report(
            "metered",
            keys_read=reading.keys_read,
            spend_usd=decision.spend_usd,
            unknown_workspaces=len(reading.errors),
            api_errors=reading.failed_calls,
            oldest_reading_seconds=decision.oldest_reading_seconds,
            shrunk_counters=decision.untold,
            clock_back_minutes=clock_back,
            events=[event.detail_type.value for event in decision.events],
            top_spenders=decision.top_spenders,
            explained=decision.explained,
            allowances_used_up=decision.used_up if decision.needs else None,
            failure=failure,
        )

    def stored(self, minute: int) -> State:
        """The stored reading, for a reading between two minutes."""
        return self._load(minute)[0]

    def connected(self, *, fresh: bool) -> OpenRouter:
        """OpenRouter under the management key; `fresh`: the secret is read again."""
        return self._connected(fresh=fresh)

    def _found_since(self) -> Memory:
        """What readings between two minutes have found and no run has taken over yet."""
        stored = self._ports.woken.get() if self._ports.woken else None
        return Memory.decode(stored.content or b"") if stored else Memory()

    def _keep_watch(self, decision: Decision, reading: Reading, owners: Mapping[str, Owned], minute: int) -> None:
        """Replaces the watch. Where another run is first its watch stands, which is as good for a minute."""
        store = self._ports.watch
        if store is None or not reading.keys_read:
            return
        subjects = Subjects(self._policy, reading.layers.workspaces, owners)
        workspaces = reading.layers.workspaces
        watch = self._watching.watch(
            reading.listed, decision.lines, decision.state.suspicions, subjects, minute, workspaces
        )
        stored = store.get()
        with contextlib.suppress(ReadingConflict):
            store.put(watch.encode(), stored.etag if stored else None)

    def _keep_needs(self, decision: Decision, reading: Reading) -> None:
        """Replaces the needs, which `key_retirement` goes by. Dies before: they grow old, and no limit is raised by
        them. Where another run is first, its needs stand."""
        store = self._ports.needs
        if store is None or decision.needs is None or not reading.keys_read:
            return
        stored = store.get()
        with contextlib.suppress(ReadingConflict):
            store.put(decision.needs.encode(), stored.etag if stored else None)

    def _owners_of(self, minute: int, reading: Reading) -> Mapping[str, Owned]:
        """The keys of all lineages; read again every few minutes, and where a limit shows that they have changed. A key
        made since bears its name still."""
        read_at, owners = self._owners or (None, {})
        stale = read_at is None or not 0 <= minute - read_at < OWNERS_EVERY
        if stale or (read_at != minute and limits_moved(reading.listed, self._policy, owners)):
            self._owners = minute, owned(self._ports.ledger)
            return self._owners[1]
        return owners

    def _load(self, minute: int) -> tuple[State, str | None]:
        stored = self._ports.store.get(self._kept[0] if self._kept else None)
        if stored is None:
            self._kept = None
            return State(), None
        if stored.content is not None or self._kept is None:
            self._kept = stored.etag, self._decoded(stored, minute)
        return self._kept[1], stored.etag

    def _decoded(self, stored: Stored, minute: int) -> State:
        """The stored reading; of one that cannot be read whole what can, once its bytes are set aside.

        Dies before they are: the next run does the same. After that: it finds them set aside, and tells under the same
        id. The object itself is replaced only by this run's new reading, the news in it.
        """
        content = stored.content or b""
        try:
            return self._codec.decode(content)
        except StateUnreadable as error:
            place = self._ports.store.set_aside(content, stored.etag)
            state, lost = self._codec.salvage(content)
            # A run that was metered by a reading from which nothing is left is metered once more, which does no harm.
            return replace(state, outbox=(*state.outbox, unreadable(stored.etag, place, lost, str(error), minute)))

    def _keep(self, state: State, etag: str | None) -> str:
        etag = self._ports.store.put(self._codec.encode(state), etag)
        self._kept = etag, state
        return etag

    def _publish(self, state: State, etag: str | None, seconds_left: Callable[[], float]) -> None:
        """Empties the outbox as far as time allows; the rest goes with the next run.

        Events are marked as published only after they are; being marked late repeats them.
        """
        if not state.outbox:
            return
        rest = state.outbox
        while rest and (rest is state.outbox or seconds_left() > MARKING_SECONDS):
            self._ports.publisher.publish(rest[:PUBLISHED_TOGETHER])
            rest = rest[PUBLISHED_TOGETHER:]
        try:
            self._keep(replace(state, outbox=rest), etag)
        except ReadingConflict:
            self._kept = None

    def _read(self, state: State, minute: int, seconds_left: Callable[[], float]) -> tuple[Reading, Exception | None]:
        try:
            try:
                return self._sweep(state, minute, seconds_left, fresh=False), None
            except AuthenticationFailed:
                # The secret may have been replaced since it was cached.
                return self._sweep(state, minute, seconds_left, fresh=True), None
        except AuthenticationFailed as error:
            unread = dict.fromkeys(state.layers.workspaces, why(error))
            listed = dict.fromkeys(state.layers.workspaces)
            return Reading(listed, state.layers, None, unread or {ACCOUNT: why(error)}, failed_calls=1), error

    def _sweep(self, state: State, minute: int, seconds_left: Callable[[], float], *, fresh: bool) -> Reading:
        client = self._connected(fresh=fresh)
        read_at = {id: place.read_at for id, place in state.places.items()}
        reading = sweep(client, state.layers, minute, seconds_left, self._concurrency, read_at)
        return confirmed(client, reading, state.keys, seconds_left)

    def _connected(self, *, fresh: bool) -> OpenRouter:
        """The client under the management key, made anew only when the key changed: it owns a connection pool."""
        key = self._ports.secrets.field(self._secret, "api_key", fresh=fresh)
        if self._client is None or self._client[0] != key:
            if self._client:
                self._client[1].close()
            client = self._ports.connect(key)
            self._client = key, client
            return client
        return self._client[1]

    def _learn(
        self,
        state: State,
        reading: Reading,
        minute: int,
        owners: Mapping[str, Owned],
        seconds_left: Callable[[], float],
    ) -> dict[str, Hourly | None]:
        if not state.learning or not reading.keys_read or self._client is None:
            return {}
        client = self._client[1].within(Deadline(seconds_left))
        subjects = Subjects(self._policy, reading.layers.workspaces, owners)
        lineage_of = lineages(reading.listed, subjects)

        def whole(subject: str) -> Lineage:
            """Nothing of a workload whose keys are not all known: the habit of a part would be too small."""
            return () if subjects.may_miss_keys(subject, reading.listed) else lineage_of(subject)

        return learn_from_analytics(client, state.learning, whole, subjects.counts_byok, minute)

    def _ask_what_blocks(self, decision: Decision, seconds_left: Callable[[], float]) -> Decision:
        """Completes alerts with the layer that blocks first, asked with the workload's own key; never stops one."""
        answers: dict[str, dict[str, object]] = {}
        for event_id, secret in list(decision.asks.items())[:ASKED_PER_BEAT]:
            if self._client is None or seconds_left() <= 0:
                break
            try:
                key = self._ports.secrets.field(secret, "api_key")
                current = self._client[1].with_key(key).within(Deadline(seconds_left)).current_key()
            except (OpenRouterError, SecretMalformed, SecretUnavailable):
                continue
            if current.effective_budget:
                answers[event_id] = {"blocks_first": current.effective_budget.scope}
        return decision.completed(answers)

    def _explain(self, decision: Decision, seconds_left: Callable[[], float]) -> Decision:
        """Completes suspicions with what analytics says of their requests; a confirmed runaway never waits for it."""
        suspected = to_explain(decision.state.outbox)
        if not suspected or self._client is None or seconds_left() <= 0:
            return decision
        found = explain(self._client[1], suspected, seconds_left)
        return decision.completed({id: {"requests": kinds.model_dump(mode="json")} for id, kinds in found.items()})

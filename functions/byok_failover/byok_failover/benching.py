"""Credentials that the provider refuses and the policy lets Governor disable, so that requests stop paying for them.

Only a prioritized one, only on a verdict that speaks of it alone, never the last of our own at a provider that takes no
credits, and never one by which a declared workload would be refused. It comes back through a trial: enabled, probed
twice, and disabled again where it still does not serve. A trial is due when its raw key was replaced, and every
`TRIAL_EVERY`. What a person enabled or disabled meanwhile stays as the person left it.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from byok_failover import failover_events
from byok_failover.chain import called, own
from byok_failover.decide import IN_A_ROW, Health
from byok_failover.drill_rules import cut_off
from byok_failover.holds import LEASE, Hold, Holds
from byok_failover.inventory import Inventory
from byok_failover.probing import Prober, Probing, Spent, Unfit
from byok_failover.store import FailoverStore, put
from governor.events import DetailType, Event
from governor.events.byok_evidence import CredentialRef
from governor.ledger import Row
from governor.policy import Byok

if TYPE_CHECKING:
    from management_api import ByokKey

TRIAL_EVERY = timedelta(hours=6)


@dataclass(frozen=True)
class Benching:
    """Benches of one run."""

    store: FailoverStore
    holds: Holds
    probing: Probing

    def may(self, byok: Byok, credential: "ByokKey", inventory: Inventory) -> bool:
        """Whether it may be disabled. Unread lists forbid it."""
        if credential.is_fallback or credential.disabled or not inventory.credentials_complete:
            return False
        for place in inventory.places_of(credential):
            if place.keys is None:
                return False
            others = own(place.credentials or (), byok.provider)
            left = [one for one in others if one.id != credential.id and not one.disabled]
            if not left and any(one.is_byok_only or one.is_required for one in others):
                return False
        return not cut_off(credential.id, inventory)

    def bench(self, byok: Byok, credential: "ByokKey", health: Row, now: datetime) -> Event | None:
        """Disables it, once for each verdict (`health`: its row); None where somebody did already.

        Raises `LedgerConflict` where it is held. Until the last write the hold is one to be undone, not a bench.
        """
        token = hashlib.sha256(f"{credential.id} {health.data['turn']}".encode()).hexdigest()[:8]
        name = None if credential.name is None else called(credential)
        hold = Hold(credential.id, "bench", byok.name, token, now, now + LEASE, name=name, label=credential.label)
        hold = self.holds.take(hold)
        done = put(health.sk, {**health.data, "benched": health.data["turn"]}, health)
        if hold.status != "held":
            self.holds.forget(hold, done)
            return None
        event = failover_events.bench(
            DetailType.CREDENTIAL_BENCHED, byok, failover_events.ref(credential), now, "", now
        )
        self.store.commit(replace(hold, status="benched", until=now, tried_at=now).put(), done, told=[event])
        return event

    def tend(self, hold: Hold, byok: Byok | None, inventory: Inventory, now: datetime) -> Event | None:
        """One look at a benched credential: ended by a person, or due for a trial. What was told, if anything."""
        state, found = self.holds.look(hold)
        if state != "ours" or byok is None or byok.action != "bench":
            hold = self.holds.leased(hold, "releasing")
            self.holds.give_back(hold)
            return self._end(hold, byok, state if state in failover_events.ENDED else "not_benched", now)
        replaced = found is not None and bool(hold.label) and found.label != hold.label
        if replaced or hold.tried_at is None or now >= hold.tried_at + TRIAL_EVERY:
            return self._trial(hold, byok, inventory, now)
        return None

    def undo(self, hold: Hold, now: datetime) -> None:
        """A bench, or a trial, that died half-way: the one is taken back, the other ends as if it had not served."""
        if hold.status == "trial":
            hold = self.holds.leased(hold, "trial")
            self.holds.put_back(hold)
            self.store.commit(replace(hold, status="benched", until=now).put())
            return
        hold = self.holds.leased(hold, "releasing")
        self.holds.give_back(hold)
        self.holds.forget(hold)

    def _trial(self, hold: Hold, byok: Byok, inventory: Inventory, now: datetime) -> Event | None:
        hold = self.holds.leased(replace(hold, tried_at=now), "trial")
        if self.holds.admit(hold):
            if self._served(hold, byok, inventory):
                self.holds.give_back(hold)
                return self._end(hold, byok, "served", now, healthy=True)
            self.holds.put_back(hold)
        found = self.holds.look(hold)[1]
        label = found.label if found else hold.label
        self.store.commit(replace(hold, status="benched", until=now, label=label).put())
        return None

    def _served(self, hold: Hold, byok: Byok, inventory: Inventory) -> bool:
        """Whether probes that it alone can serve, or that ask it first, are served in a row."""
        prober = self._prober(hold, byok, inventory)
        if prober is None:
            return False
        health = Health("invalid", "refused", IN_A_ROW)
        try:
            for _ in range(IN_A_ROW):
                health = health.after(self.probing.send(byok, prober).sign)
        except (Unfit, Spent):
            return False
        return health.verdict == "healthy"

    def _prober(self, hold: Hold, byok: Byok, inventory: Inventory) -> Prober | None:
        """A key whose request would try this credential first, were it enabled."""
        place = inventory.place(byok.workspace)
        if place is None or place.credentials is None or place.keys is None:
            return None
        enabled = {"disabled": False}
        admitted = [one.model_copy(update=enabled) if one.id == hold.credential else one for one in place.credentials]
        admitted_place = replace(place, credentials=admitted)
        for secret in self.probing.secrets(byok):
            try:
                prober = self.probing.prober(secret, byok, admitted_place, inventory)
            except Unfit:
                continue
            if prober.first and prober.first.id == hold.credential:
                return prober
        return None

    def _end(self, hold: Hold, byok: Byok | None, rule: str, now: datetime, *, healthy: bool = False) -> Event | None:
        if byok is None:
            self.holds.forget(hold)
            return None
        name = hold.name or hold.label or hold.credential
        ref = CredentialRef(id=hold.credential, name=name)
        event = failover_events.bench(DetailType.CREDENTIAL_UNBENCHED, byok, ref, hold.since, rule, now)
        row = self.store.row(f"health#{hold.credential}")
        more = []
        if healthy and row:
            more.append(put(row.sk, {**row.data, "verdict": "healthy", "sign": "served", "run": IN_A_ROW}, row))
        self.holds.forget(hold, *more, told=[event])
        return event

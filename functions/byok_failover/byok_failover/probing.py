"""Small requests that prove a credential: which one they speak of, what they may cost, and sending them.

A probe's place in the day's bounds is taken before it leaves, at the price of an equal part of the day's dollars, and
its own price put there when it is known: a run that dies in between has paid too much, never too little.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from byok_failover.chain import Asker, Step, called, chain
from byok_failover.decide import Seen, judge, judge_error
from byok_failover.inventory import Inventory, Place
from byok_failover.ports import ProbeKey
from byok_failover.store import FailoverStore, put
from governor.clock import Clock
from governor.ledger import LedgerConflict
from governor.policy import Byok
from governor.secrets import SecretMalformed, SecretUnavailable
from management_api import AuthenticationFailed, NotFound, OpenRouterError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from management_api import ApiKey, ByokKey, OpenRouter

TRIES = 5
TOKENS = 16
"""The least that every model takes."""
FORGET = timedelta(days=3)


RULES = frozenset(
    {
        "probe_key_missing",
        "probe_key_foreign",
        "probe_key_refused",
        "probe_key_over_limit",
        "probe_lacks_access",
        "probe_reaches_none",
    }
)
"""Findings about a probe itself."""


class Unfit(Exception):
    """A probe cannot be sent, or says nothing, until somebody mends it. `rule`: a finding's."""

    def __init__(self, rule: str, detail: str, todo: str) -> None:
        super().__init__(detail)
        self.rule, self.detail, self.todo = rule, detail, todo


class Spent(Exception):
    """The day's probes, or its dollars, are used up."""


@dataclass(frozen=True)
class Prober:
    """A key that probes. `steps`: what its request tries, in order; `asker`: the key as the account lists it."""

    secret: str
    key: "SecretStr"
    asker: Asker
    steps: tuple[Step, ...]

    @property
    def subjects(self) -> "list[ByokKey]":
        """The credentials that a probe may speak of: no source names the one that served, so several are "one of"."""
        return [step.credential for step in self.steps if step.credential]

    @property
    def begins_with_fallback(self) -> bool:
        return bool(self.steps) and self.steps[0].kind == "fallback"

    @property
    def first(self) -> "ByokKey | None":
        """The credential that its request tries first; None where that is OpenRouter's own capacity."""
        return self.steps[0].credential if self.steps else None


@dataclass(frozen=True)
class Probing:
    """Probes of one run."""

    store: FailoverStore
    account: "OpenRouter"
    probe_key: ProbeKey
    clock: Clock

    @staticmethod
    def secrets(byok: Byok) -> list[str]:
        """Whose keys probe: the dedicated ones first, then the general one."""
        if byok.probe is None or byok.probe.secret is None:
            return []
        return list(dict.fromkeys((*byok.probe.keys.values(), byok.probe.secret)))

    def prober(self, secret: str, byok: Byok, place: Place, inventory: Inventory) -> Prober:
        """The key in this secret, and what its requests try. Raises `Unfit`."""
        assert byok.probe
        try:
            key = self.probe_key(secret)
        except (SecretUnavailable, SecretMalformed) as error:
            todo = f"Put an inference key of the workspace into secret {secret}, or fix `byok[].probe`."
            detail = f"the probe's key, in secret {secret}, cannot be read: {error}"
            raise Unfit("probe_key_missing", detail, todo) from error
        # A key's hash is the SHA-256 of its plaintext (vendor: GET /activity, `api_key_hash`).
        hash = hashlib.sha256(key.get_secret_value().encode()).hexdigest()
        listed = next((one for one in place.keys or () if one.hash == hash), None) or self._unlisted(hash)
        if listed is None or listed.workspace_id != place.workspace.id:
            detail = f"the probe's key, in secret {secret}, is not a key of workspace {byok.workspace}"
            raise Unfit("probe_key_foreign", detail, "Put a live inference key of that workspace into the secret.")
        asker = Asker(listed.name, hash, listed.creator_user_id)
        zdr = inventory.demands_zdr(place, asker, byok.provider)
        steps = chain(place.credentials or (), byok.provider, asker, byok.probe.model, zdr=zdr)
        return Prober(secret, key, asker, steps)

    def _unlisted(self, hash: str) -> "ApiKey | None":
        """The key that a list left out; None only where OpenRouter answers 404. Raises from `management_api.errors`."""
        try:
            return self.account.keys.get(hash)
        except NotFound:
            return None

    def within_bounds(self, byok: Byok, now: datetime) -> bool:
        """Whether one more probe is allowed today."""
        row = self.store.row(_sk(byok, now))
        used, usd = (int(row.data["count"]), float(row.data["usd"])) if row else (0, 0.0)
        return byok.probe is not None and used < byok.probe.per_day and usd + _price(byok) <= _most(byok)

    def send(self, byok: Byok, prober: Prober) -> Seen:
        """One probe. Raises `Spent`, and `Unfit` where the key itself is at fault."""
        day = _sk(byok, self.clock())
        self._spend(byok, day, 1, _price(byok))
        seen = self._sent(byok, prober)
        if seen.cost_usd is not None:
            self._spend(byok, day, 0, seen.cost_usd - _price(byok))
        return seen

    def _spend(self, byok: Byok, day: str, probes: int, usd: float) -> None:
        """Adds to what was used today. Raises `Spent` where one more probe would pass the day's bounds.

        Runs and drills beside each other write the same row, and neither waits for the next run because of that.
        """
        for _ in range(TRIES - 1):
            try:
                self._add(byok, day, probes, usd)
            except LedgerConflict:
                continue
            return
        self._add(byok, day, probes, usd)

    def _add(self, byok: Byok, day: str, probes: int, usd: float) -> None:
        row = self.store.row(day)
        used, spent = (int(row.data["count"]), float(row.data["usd"])) if row else (0, 0.0)
        if byok.probe is None or (probes and (used >= byok.probe.per_day or spent + usd > _most(byok))):
            raise Spent(f"{used} probes, ${spent:.4f} today")
        taken = {"count": used + probes, "usd": round(spent + usd, 8)}
        self.store.commit(put(day, taken, row, expires_at=self.clock() + FORGET))

    def _sent(self, byok: Byok, prober: Prober) -> Seen:
        assert byok.probe
        request = {
            "model": byok.probe.model,
            "messages": [{"role": "user", "content": "ok"}],
            "max_tokens": TOKENS,
            "reasoning": {"enabled": False},
            # A fallback credential is not used at all without fallbacks (vendor: guide on BYOK).
            "provider": {"only": [byok.provider], "allow_fallbacks": prober.begins_with_fallback},
        }
        asking = self.account.with_key(prober.key)
        began = self.clock()
        try:
            answer = asking.chat(request, metadata=True)
        except AuthenticationFailed as error:
            return judge_error(error, key_works=self._works(asking, prober))
        except NotFound as error:
            detail = f"the key in secret {prober.secret} reaches no {byok.provider} endpoint of {byok.probe.model}"
            todo = "Fix the probe's model, the workspace's guardrail, or the credentials' filters."
            raise Unfit("probe_lacks_access", f"{detail}: {error.message}", todo) from error
        except OpenRouterError as error:
            if error.status in (402, 403) and self._blocked(asking):
                detail = f"the key in secret {prober.secret} is over a limit: probes say nothing until it resets"
                raise Unfit("probe_key_over_limit", detail, "Raise the key's limit, or the budget over it.") from error
            return judge_error(error, key_works=None)
        return judge(answer, (self.clock() - began).total_seconds())

    def _works(self, asking: "OpenRouter", prober: Prober) -> bool:
        """Whether OpenRouter takes the key. Raises `Unfit` where it does not."""
        try:
            asking.current_key()
        except AuthenticationFailed as error:
            detail = f"OpenRouter refuses the probe's key in secret {prober.secret}: deleted, disabled or expired"
            raise Unfit("probe_key_refused", detail, "Put a live inference key into the secret.") from error
        except OpenRouterError:
            return False
        return True

    def _blocked(self, asking: "OpenRouter") -> bool:
        """Whether a budget blocks the key: the free answer that tells a 403 for money from one for a region."""
        try:
            found = asking.current_key()
        except OpenRouterError:
            return False
        limits = [one.remaining_usd for one in (*found.budgets, found.effective_budget) if one]
        return any(left <= 0 for left in (*limits, found.limit_remaining) if left is not None)


def among(subjects: "Sequence[ByokKey]") -> str:
    """Whom a probe speaks of, for people."""
    names = ", ".join(called(one) for one in subjects)
    return names if len(subjects) == 1 else f"one of {names} (OpenRouter does not say which)"


def subject_of(byok: Byok, subjects: "Sequence[ByokKey]") -> str:
    """The health row's name: a credential's id, or the ids of all that it may have been."""
    if len(subjects) == 1:
        return subjects[0].id
    ids = json.dumps(sorted(one.id for one in subjects))
    return f"{byok.name}/{hashlib.sha256(ids.encode()).hexdigest()[:12]}"


def _sk(byok: Byok, now: datetime) -> str:
    return f"probes#{now:%Y-%m-%d}#{byok.name}"


def _price(byok: Byok) -> float:
    """What a probe is taken to cost until its answer says."""
    probe = byok.probe
    return probe.usd_per_day / probe.per_day if probe and probe.per_day else 0.0


def _most(byok: Byok) -> float:
    # A sum of equal parts is a little off the whole.
    return (byok.probe.usd_per_day if byok.probe else 0.0) + 1e-9

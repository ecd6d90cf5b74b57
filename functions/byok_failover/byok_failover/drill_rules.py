"""What a drill may do, what is to take over, and what came of it. Pure.

Why a drill is not begun, or failed; the first that applies:

 1. `not_believed`        the policy believes signed clicks only, not who an event says has asked
 1. `not_an_approver`     the policy does not name whoever granted it, or it is who asked
 2. `unknown_decision`    the policy has no such decision, or it names no drill
 3. `unread`              the account could not be read whole: what would be cut off is not known
 4. a probe's rule        its key cannot be used (see `probing`)
 5. `under_way`           another drill of the provider holds its row
 6. `nothing_first`       the probe's key has no enabled prioritized credential to begin with
 7. `held`                Governor holds that credential already: it is benched
 8. `would_cut_off`       some declared workload would be left with nothing at all
 9. `probes_spent`        the day's probes, or their dollars, are used up
10. `not_first_healthy`   the first credential does not serve now: there is nothing to fail over from
11. `disabled_meanwhile`  somebody disabled it meanwhile
12. `wrong_next`          something else served than the policy expects
13. `not_served`          nothing served in time
14. `interrupted`         the drill died half-way, and was undone
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from byok_failover.chain import Step, called, chain, pictured
from byok_failover.decide import Seen
from byok_failover.inventory import Inventory
from byok_failover.probing import Prober
from governor.events.byok_evidence import CredentialRef
from governor.policy import Byok

Next = Literal["own", "shared"]


@dataclass(frozen=True)
class Result:
    """What a drill came to. `rule`: `passed`, or why not."""

    rule: str
    reason: str
    credential: CredentialRef | None = None
    expected: str = ""
    served_by: str = ""
    seconds: float | None = None
    cost_usd: float = 0.0
    probes: int = 0
    back: bool = True
    chain: tuple[str, ...] = ()


class Unready(Exception):
    """The drill is not begun; nothing was disabled."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


@dataclass(frozen=True)
class Order:
    """A drill that is wanted. `id`: of the request, the decision of people, or the schedule's day: the same is one
    drill. `by`: who asks. `granted`: people decided it, and want to hear of its outcome."""

    decision: str
    by: str
    id: str
    granted: bool = False

    @property
    def name(self) -> str:
        return f"{self.decision}#{self.id}"

    @property
    def token(self) -> str:
        """Of the mark."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:8]

    def data(self, byok: Byok | None) -> dict[str, Any]:
        """What the result will have to say of it, whoever tells."""
        workspace, _, provider = self.decision.rpartition("/")
        return {
            "decision": self.decision, "workspace": workspace, "provider": provider, "by": self.by, "order": self.id,
            "granted": self.granted, "owner": byok.owner if byok else "",
        }  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A drill that may begin. `expected`: what is to serve once `first` is disabled."""

    byok: Byok
    order: Order
    prober: Prober
    first: Step
    expected: Next
    after: tuple[Step, ...]

    @property
    def ref(self) -> CredentialRef:
        credential = self.first.credential
        assert credential
        return CredentialRef(id=credential.id, name=called(credential), fallback=credential.is_fallback)

    @property
    def chains(self) -> tuple[str, ...]:
        model = self.byok.probe.model if self.byok.probe else ""
        return (
            pictured(self.prober.asker.name, model, self.prober.steps),
            pictured("without it", model, self.after),
        )


def cut_off(credential: str, inventory: Inventory) -> str:
    """A declared workload that would be refused outright without the credential; none is an empty string."""
    found = inventory.credentials.get(credential)
    if found is None:
        return ""
    for byok in inventory.policy.byok:
        place = inventory.place(byok.workspace)
        if byok.provider != found.provider or place is None or place not in inventory.places_of(found):
            continue
        for asker in inventory.askers(place):
            for model in byok.purposes:
                zdr = inventory.demands_zdr(place, asker, byok.provider)
                now, then = (
                    chain(place.credentials or (), byok.provider, asker, model, without=without, zdr=zdr)
                    for without in ("", credential)
                )
                if now and not then:
                    return asker.name
    return ""


def expected(byok: Byok) -> Next:
    """What the policy wants to take over: another credential of our own where it expects one before credits."""
    expect = byok.expect
    return "own" if expect.prioritized > 1 or expect.shared is False else "shared"


def is_next(expected: Next, seen: Seen) -> bool:
    return seen.sign in ("served", "strained") if expected == "own" else seen.sign == "elsewhere"


def served_by(seen: Seen) -> str:
    at = f" ({seen.provider})" if seen.provider else ""
    if seen.sign == "elsewhere":
        return f"OpenRouter's own capacity, on credits{at}"
    return f"another credential of our own{at}" if seen.sign in ("served", "strained") else ""


def in_words(plan: Plan) -> str:
    if plan.expected == "shared":
        return "OpenRouter's own capacity, on credits,"
    return next((f"credential {called(one.credential)}" for one in plan.after if one.credential), "another credential")


def why(plan: Plan) -> str:
    own = [one for one in plan.after if one.credential]
    if not own:
        return f"No other credential's filters let {plan.prober.asker.name} in."
    return f"Credits come before {own[0].text} in the order of trial." if plan.after[0].kind == "shared" else ""


def left(state: str) -> str:
    return {
        "foreign": "It stays disabled: somebody took Governor's mark off its name, or disabled it again.",
        "gone": "It was deleted meanwhile.",
    }.get(state, "")

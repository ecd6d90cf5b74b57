"""What a probe says of the credential it was sent for, and when that becomes a verdict. Pure.

One probe, by what OpenRouter tells of it; the first rule that applies decides:
 1. `served`     the first attempt was by a credential of our own, and was answered in time
 2. `strained`   one of our own served, after another attempt failed, or slowly
 3. `refused`    the provider answered 401
 4. `elsewhere`  OpenRouter's shared capacity served: no credential was asked, or none that answered
 5. `silent`     anything else: 429, 5xx and timeouts pass; 400 (Google says so to a bad key) and 403 (a region, a rule)
                 may not be the key

Hysteresis, both ways: two refusals in a row make `invalid`, two strained ones `degraded`, two served ones `healthy`
again. A first probe that is served says `healthy` at once. `elsewhere` and `silent` neither raise nor clear anything,
and do not break a row.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from governor.events.byok_evidence import Verdict

if TYPE_CHECKING:
    from management_api import ChatCompletion, OpenRouterError

Sign = Literal["served", "strained", "refused", "elsewhere", "silent"]
IN_A_ROW = 2
SLOW_SECONDS = 8.0
"""So long for 16 tokens is no service to anybody."""
_VERDICTS: dict[Sign, Verdict] = {"served": "healthy", "strained": "degraded", "refused": "invalid"}


@dataclass(frozen=True)
class Seen:
    """What one probe came to. `detail`: a sentence's part for people. `cost_usd`: None where nobody said."""

    sign: Sign
    detail: str
    cost_usd: float | None = None
    provider: str = ""


@dataclass(frozen=True)
class Health:
    """Where a credential stands. `sign`, `run`: the last sign that counts, and how often it came in a row."""

    verdict: Verdict = "unknown"
    sign: Sign | None = None
    run: int = 0

    @property
    def doubtful(self) -> bool:
        """Not settled: a probe now is worth its price."""
        unsettled = self.sign is not None and _VERDICTS[self.sign] != self.verdict
        return self.verdict in ("invalid", "degraded") or unsettled

    @property
    def ill(self) -> bool:
        return self.verdict in ("invalid", "degraded")

    def after(self, sign: Sign) -> "Health":
        """Where it stands after one more probe."""
        if sign not in _VERDICTS:
            return self
        run = self.run + 1 if sign == self.sign else 1
        settled = run >= IN_A_ROW or (sign == "served" and self.verdict == "unknown" and self.sign in (None, "served"))
        return replace(self, verdict=_VERDICTS[sign] if settled else self.verdict, sign=sign, run=min(run, IN_A_ROW))


def judge(answer: "ChatCompletion", seconds: float) -> Seen:
    """By an answered probe. Router metadata names providers as people read them, and no credential at all."""
    told, cost = answer.openrouter_metadata, cost_of(answer)
    if told is None:
        return Seen("silent", "OpenRouter told nothing of how it was routed", cost)
    served_by = told.attempts[-1].provider if told.attempts else ""
    failed = [one.status for one in told.attempts if one.status not in (None, 200)]
    if 401 in failed:
        return Seen("refused", "the provider answered 401", cost, served_by)
    if not told.is_byok:
        return Seen("elsewhere", "OpenRouter's own capacity served it, on credits", cost, served_by)
    if failed:
        return Seen("strained", f"served after an attempt that was answered {failed[0]}", cost, served_by)
    slowest = max(seconds, (told.generation_time or 0.0) / 1000)
    if slowest > SLOW_SECONDS:
        return Seen("strained", f"served after {slowest:.0f} s", cost, served_by)
    return Seen("served", "served", cost, served_by)


def judge_error(error: "OpenRouterError", *, key_works: bool | None) -> Seen:
    """By a probe that was answered with an error. `key_works`: whether OpenRouter takes the probe's own key, asked
    after a 401 only, which may be OpenRouter's own to that key, or the provider's handed on."""
    if error.status == 401 and key_works:
        return Seen("refused", "the provider answered 401", 0.0)
    return Seen("silent", f"not answered: {error.status or type(error).__name__}", 0.0 if error.status else None)


def cost_of(answer: "ChatCompletion") -> float | None:
    """USD, on credits and at the provider together; None where the answer does not say."""
    usage = answer.usage
    if usage is None or usage.cost is None:
        return None
    upstream = (usage.cost_details or {}).get("upstream_inference_cost")
    paid_elsewhere = float(upstream) if usage.is_byok and isinstance(upstream, int | float) else 0.0
    return usage.cost + paid_elsewhere

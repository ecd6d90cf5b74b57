"""`openrouter_metadata`: how a request was routed, for callers who ask (vendor: guide on router metadata).

Names providers, never credentials: a provider is one row of `endpoints`, however many credentials it has.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.openrouter.catalogue import PROVIDERS, Model
from sandbox.openrouter.generations import Attempt, Generation
from sandbox.openrouter.refusals import Refusal

_HEADERS = ("x-openrouter-metadata", "x-openrouter-experimental-metadata")


class Unserved(Refusal):
    """A request that nothing served: every provider tried failed, or none was left to try.

    `considered`: the slugs of the providers that might have served it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        model: Model,
        considered: tuple[str, ...],
        attempts: tuple[Attempt, ...],
        *,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(status, message, metadata=metadata)
        self.model, self.considered, self.attempts = model, considered, attempts


def is_asked_for(headers: Mapping[str, str]) -> bool:
    """Any other value than `enabled` is no."""
    return any(headers.get(name, "").lower() == "enabled" for name in _HEADERS)


def of_served(generation: Generation, requested: str) -> dict[str, Any]:
    served = generation.attempts[-1]
    return {
        **_routing(requested, generation.model, generation.considered, generation.attempts, served),
        "generation_time": served.latency + generation.generation_time,
    }


def of_unserved(unserved: Unserved, requested: str) -> dict[str, Any]:
    """No endpoint is selected; `attempt` is how many were tried."""
    return _routing(requested, unserved.model, unserved.considered, unserved.attempts, None)


def _routing(
    requested: str, model: Model, considered: Iterable[str], attempts: tuple[Attempt, ...], served: Attempt | None
) -> dict[str, Any]:
    selected = served.provider if served else None
    available = [
        {"model": model.permaslug, "provider": PROVIDERS[slug], "selected": slug == selected} for slug in considered
    ]
    tried = [{"provider": each.name, "model": model.permaslug, "status": each.status} for each in attempts]
    return {
        "requested": requested,
        "strategy": "direct",
        "region": None,
        "summary": f"available={len(available)}" + (f", selected={served.name}" if served else ""),
        "attempt": len(attempts),
        "is_byok": served is not None and served.is_byok,
        "endpoints": {"total": len(available), "available": available},
        **({"attempts": tried} if tried else {}),
    }

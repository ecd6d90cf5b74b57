"""What OpenRouter tries for one request, and in which order. Pure.

Prioritized credentials by `sort_order`, then OpenRouter's shared endpoints on paid credits, then fallback credentials
(vendor: guide on BYOK, "Key Priority and Fallback"). A credential is passed over when it is disabled, or when one of
its filters (models, keys, members) leaves the request out; a global one counts in every workspace. The shared endpoints
are left out where an enabled credential is `is_byok_only`, or `is_required` and meant for the model.

Where zero data retention is demanded, a credential that declares none is passed over, and a fallback one that declares
it is not used behind a prioritized one that is `is_required` for the model and does not declare it: the request fails
(vendor: guide on BYOK, "Declaring ZDR on a Key"). With `allow_fallbacks: false` no fallback credential is used.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from governor.byok_marks import unmarked

if TYPE_CHECKING:
    from management_api import ByokKey

Kind = Literal["prioritized", "shared", "fallback"]


@dataclass(frozen=True)
class Asker:
    """Who asks: a workload's key. `member`: the key's creator, which `allowed_user_ids` speaks of."""

    name: str
    hash: str
    member: str | None = None


@dataclass(frozen=True)
class Step:
    """One thing that is tried. `credential`: None for OpenRouter's shared endpoints."""

    kind: Kind
    provider: str
    credential: "ByokKey | None" = None

    @property
    def text(self) -> str:
        if self.credential is None:
            return f"OpenRouter's own {self.provider} (credits)"
        return f"{self.provider} {called(self.credential)}" + (" (fallback)" if self.kind == "fallback" else "")


def called(credential: "ByokKey") -> str:
    """The credential's name to people, Governor's mark left out."""
    return unmarked(credential.name) or credential.label or credential.id


def own(credentials: Iterable["ByokKey"], provider: str) -> list["ByokKey"]:
    """The provider's credentials, each once, in the order of trial: prioritized before fallback."""
    found = {one.id: one for one in credentials if one.provider == provider}
    return sorted(found.values(), key=lambda one: (one.is_fallback, one.sort_order, one.id))


def lets_in(credential: "ByokKey", asker: Asker, model: str) -> bool:
    """Whether its filters let the request through."""
    if credential.allowed_models is not None and model not in credential.allowed_models:
        return False
    hashes, members = credential.allowed_api_key_hashes, credential.allowed_user_ids
    return (hashes is None or asker.hash in hashes) and (members is None or asker.member in members)


def shared_left_out(credentials: Iterable["ByokKey"], model: str) -> bool:
    """Whether an enabled one keeps requests off OpenRouter's shared endpoints of its provider."""
    return any(
        one.is_byok_only or (one.is_required and (one.allowed_models is None or model in one.allowed_models))
        for one in credentials
        if not one.disabled
    )


def stands_before(credentials: Iterable["ByokKey"], model: str) -> "ByokKey | None":
    """The prioritized credential that keeps the fallback ones from a request that demands zero data retention."""
    return next(
        (
            one
            for one in credentials
            if not one.disabled and not one.is_fallback and one.is_required and one.declared_zdr is not True
            and (one.allowed_models is None or model in one.allowed_models)
        ),
        None,
    )  # fmt: skip


def chain(
    credentials: Iterable["ByokKey"],
    provider: str,
    asker: Asker,
    model: str,
    *,
    without: str = "",
    zdr: bool = False,
) -> tuple[Step, ...]:
    """Every step of the request at this provider, in order; `without`: the id of a credential taken for disabled.

    `zdr`: the request demands zero data retention. Whether the shared endpoints and a credential that declares nothing
    have it is OpenRouter's to know: they stay in.
    """
    found = [one for one in own(credentials, provider) if one.id != without]
    if zdr:
        if stands_before(found, model):
            found = [one for one in found if not one.is_fallback]
        shared_gone = shared_left_out(found, model)
        return _steps([one for one in found if one.declared_zdr is not False], provider, asker, model, shared_gone)
    return _steps(found, provider, asker, model, shared_left_out(found, model))


def _steps(found: Sequence["ByokKey"], provider: str, asker: Asker, model: str, shared_gone: bool) -> tuple[Step, ...]:
    steps = [
        Step("fallback" if one.is_fallback else "prioritized", provider, one)
        for one in found
        if not one.disabled and lets_in(one, asker, model)
    ]
    shared = [] if shared_gone else [Step("shared", provider)]
    return (
        *(one for one in steps if one.kind == "prioritized"),
        *shared,
        *(one for one in steps if one.kind == "fallback"),
    )


def pictured(asker: str, model: str, steps: Sequence[Step]) -> str:
    """One line for people: first this, then that."""
    return f"{asker}, {model}: " + (" → ".join(step.text for step in steps) or "nothing at all: refused")

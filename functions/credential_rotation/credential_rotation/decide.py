"""Which provider credential a secret is meant for, and what a probe says of its new key. Pure.

Which credential; the first rule that applies decides:
 1. `workspace_missing`, `workspace_ambiguous`   the policy's workspace is not one place
 2. `credential_missing`    the workspace has no such credential
 3. `credential_ambiguous`  it has several of the provider; `byok[].credential` must say which
 4. `found`

What a probe says, by the attempts that OpenRouter tells of:
 1. `refused`  the provider answered 401, and no other credential of it could be meant
 2. `served`   the first attempt was by one of our own, and it was answered
 3. `unknown`  anything else: 400 and 403 may be a region or a model, 429 and 5xx pass, shared capacity proves nothing
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from governor.account.workspaces import meant
from governor.byok_marks import unmarked
from governor.policy import Byok

if TYPE_CHECKING:
    from management_api import ByokKey, ChatCompletion, OpenRouterError, Workspace

Verdict = Literal["served", "refused", "unknown"]


class Refused(Exception):
    """The secret's key cannot be put anywhere; `rule` and the sentence say why, and what would fix it."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


@dataclass(frozen=True)
class Proof:
    """What a probe came to. `detail`: a sentence for people."""

    verdict: Verdict
    detail: str


def place(byok: Byok, workspaces: Sequence["Workspace"]) -> "Workspace":
    """The workspace that the policy means. Raises `Refused`."""
    found = meant(byok.workspace, workspaces)
    if not found:
        raise Refused("workspace_missing", f"The account has no workspace {byok.workspace}; fix byok[].workspace.")
    if len(found) > 1:
        raise Refused(
            "workspace_ambiguous", f"{len(found)} workspaces are called {byok.workspace}: give the slug or id."
        )
    return found[0]


def credential(byok: Byok, credentials: Sequence["ByokKey"]) -> "ByokKey":
    """The credential that the policy means. Raises `Refused`."""
    own = [one for one in credentials if one.provider == byok.provider]
    found = [one for one in own if byok.credential in (None, one.id, unmarked(one.name))]
    if not found:
        named = f" called {byok.credential}" if byok.credential else ""
        raise Refused(
            "credential_missing",
            f"Workspace {byok.workspace} has no {byok.provider} credential{named}: add it, or fix byok[].",
        )
    if len(found) > 1:
        raise Refused(
            "credential_ambiguous",
            f"Workspace {byok.workspace} has {len(found)} {byok.provider} credentials: say which in byok[].credential.",
        )
    return found[0]


def judge(provider: str, answer: "ChatCompletion", rivals: int) -> Proof:
    """By an answer to `provider.only`, with router metadata, which names providers as people read them, not by slug.

    `rivals`: other enabled credentials of the provider there.
    """
    told = answer.openrouter_metadata
    if told and any(one.status == 401 for one in told.attempts):
        if rivals:
            return Proof("unknown", f"{provider} answered 401 to it, or to one of {rivals} others of {provider}")
        return Proof("refused", f"{provider} answered 401 to it")
    if not told or not told.is_byok:
        return Proof("unknown", "OpenRouter's own capacity served the probe")
    among = f" (it, or one of {rivals} others of {provider}: OpenRouter does not say which)" if rivals else ""
    return Proof("served", f"a probe was served by it{among}")


def judge_error(provider: str, error: "OpenRouterError") -> Proof:
    """By a probe that was answered with an error, which does not say who was asked."""
    return Proof(
        "unknown", f"the probe of {provider} was not answered: {type(error).__name__} {error.status or ''}".strip()
    )

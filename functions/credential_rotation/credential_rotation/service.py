"""Puts a provider's new key where the old one was, proves it, and goes back when the provider refuses it.

Every PATCH follows a row that says which version is being put, or taken back; it holds the whole key, so that the same
again is no harm. The row that ends it holds the event until the bus has it: of two runs beside each other one tells.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from credential_rotation.decide import Proof, Refused, credential, judge, judge_error, place
from credential_rotation.ports import Known, Ports, name_of
from governor.events import DetailType, Event, event_id
from governor.events.evidence import CredentialRotated
from governor.ledger import LedgerConflict
from governor.policy import Byok
from governor.secrets import SecretMalformed, SecretUnavailable
from management_api import AuthenticationFailed, ByokPatch, Deadline, OpenRouterError, Rejected

if TYPE_CHECKING:
    from management_api import ByokKey, OpenRouter

PROBES = 3
"""Runs on which a probe may tell nothing before the key is called put, and unproven."""
TOKENS = 16
"""The least that every model takes."""


@dataclass(frozen=True)
class Report:
    """What a run came to."""

    looked_at: int = 0
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One credential in hand."""

    ports: Ports
    account: "OpenRouter"
    byok: Byok

    @property
    def name(self) -> str:
        return name_of(self.byok)


@dataclass(frozen=True)
class CredentialRotation:
    """What outlives an invocation."""

    ports: Ports

    def act(self, seconds_left: Callable[[], float]) -> Report:
        """Raises whatever kept a credential from its turn, once the others had theirs; the next run goes on."""
        connect = partial(self.ports.connect, Deadline(seconds_left))
        try:
            return self._acted(connect())
        except AuthenticationFailed:
            self.ports.log.warning("the management key was refused; its secret is read again")
            return self._acted(connect(fresh=True))

    def _acted(self, account: "OpenRouter") -> Report:
        told: list[str] = []
        errors: list[Exception] = []
        declared = [one for one in self.ports.policy.byok if one.secret]
        for byok in declared:
            try:
                event = _turn(Turn(self.ports, account, byok))
            except LedgerConflict:
                continue  # a run beside this one has it in hand
            except AuthenticationFailed:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, when every other credential has had its turn
                self.ports.log.warning(
                    "a credential had no turn", extra={"credential": name_of(byok), "error": f"{error}"}
                )
                errors.append(error)
            else:
                told += [event.detail_type.value] if event else []
        if errors:
            raise errors[0]
        return Report(len(declared), tuple(told))


def _turn(turn: Turn) -> Event | None:
    """What was told, if anything. Raises `LedgerConflict`."""
    version = turn.ports.secrets.current(turn.byok.secret or "")
    known = Known.read(turn.ports.ledger, turn.name)
    if known is None:
        # The key that OpenRouter has cannot be read: the secret as it is now is taken for it.
        turn.ports.ledger.commit(Known(turn.name, version).put())
        return None
    if known.saying:
        return _told(turn, known)
    if known.version != version:
        # The version before may be one that was never put: then the way back is the one before that.
        before = known.version if known.status in ("proven", "put") else known.before
        known = replace(known, version=version, before=before, status="changed", tries=0)
    if known.status in ("proven", "refused"):
        return None
    blocked = known.status
    try:
        found, rivals = _target(turn)
        if known.status == "reverting":
            return _gone_back(turn, known, found)
        if known.status != "put":
            text = _text(turn, known)
            known = _write(turn, replace(known, status="putting"))
            _put(turn, found, text)
            known = _write(turn, replace(known, status="put"))
        return _proven(turn, known, found, rivals)
    except Refused as error:
        again = replace(known, status=error.rule)
        if blocked != error.rule:
            return _ended(turn, again, _failed(turn, known, error.rule, f"{error}"))
        if known.status != blocked:
            _write(turn, again)
        return None  # told already; each run tries again, since it may be mended anywhere


def _target(turn: Turn) -> "tuple[ByokKey, int]":
    """The credential, and how many other enabled ones of its provider the workspace has."""
    where = place(turn.byok, turn.account.workspaces.list())
    credentials = turn.account.byok.list(workspace_id=where.id)
    found = credential(turn.byok, credentials)
    others = [one for one in credentials if one.provider == found.provider and one.id != found.id]
    return found, sum(not one.disabled for one in others)


def _text(turn: Turn, known: Known) -> SecretStr:
    text = turn.ports.secrets.text(turn.byok.secret or "", known.version)
    if text is None or not text.get_secret_value().strip():
        raise Refused("secret_empty", f"Secret {turn.byok.secret} holds no text: put the provider's key into it.")
    return text


def _put(turn: Turn, found: "ByokKey", text: SecretStr) -> None:
    try:
        turn.account.byok.update(found.id, ByokPatch(key=text))
    except Rejected as error:
        raise Refused("openrouter_refused", f"{error}") from error


def _proven(turn: Turn, known: Known, found: "ByokKey", rivals: int) -> Event | None:
    probe = turn.byok.probe
    if probe is None or probe.secret is None:
        proof = Proof("unknown", "it was not probed: the policy names no probe.secret")
        return _ended(turn, replace(known, status="proven"), _rotated(turn, known, found, proof))
    proof = _probed(turn, rivals, probe.model, probe.secret)
    if proof.verdict == "refused":
        # Once more: a credential is not called dead on one answer.
        proof = _probed(turn, rivals, probe.model, probe.secret)
    if proof.verdict == "refused":
        return _gone_back(turn, known, found)
    if proof.verdict == "unknown" and known.tries + 1 < PROBES:
        _write(turn, replace(known, tries=known.tries + 1))
        return None
    return _ended(turn, replace(known, status="proven"), _rotated(turn, known, found, proof))


def _probed(turn: Turn, rivals: int, model: str, secret: str) -> Proof:
    provider = turn.byok.provider
    request = {
        "model": model,
        "messages": [{"role": "user", "content": "ok"}],
        "max_tokens": TOKENS,
        "reasoning": {"enabled": False},
        "provider": {"only": [provider]},
    }
    try:
        answer = turn.account.with_key(turn.ports.probe_key(secret)).chat(request, metadata=True)
    except AuthenticationFailed:
        return Proof("unknown", f"the probe's own key, in secret {secret}, was refused")
    except (SecretUnavailable, SecretMalformed) as error:
        return Proof("unknown", f"{error}")
    except OpenRouterError as error:
        return judge_error(provider, error)
    return judge(provider, answer, rivals)


def _gone_back(turn: Turn, known: Known, found: "ByokKey") -> Event:
    # Written even where it is written already: whoever is beside this run then stops at its own next write.
    known = _write(turn, replace(known, status="reverting"))
    text = turn.ports.secrets.text(turn.byok.secret or "", known.before) if known.before else None
    if text:
        turn.account.byok.update(found.id, ByokPatch(key=text))
        after = "The former key is in place again."
    else:
        after = "The former key is not kept any more: the new one stays, and requests pay for it in credits."
    reason = f"The new key of {turn.name} does not work: {turn.byok.provider} answered 401 to it, twice. {after}"
    return _ended(turn, replace(known, status="refused"), _failed(turn, known, "refused_by_provider", reason))


def _ended(turn: Turn, known: Known, event: Event) -> Event:
    detail = event.detail()
    saying = {
        "detail-type": event.detail_type, "id": event.id, "time": detail["occurred_at"], "detail": detail,
    }  # fmt: skip
    return _told(turn, _write(turn, replace(known, saying=saying)))


def _told(turn: Turn, known: Known) -> Event:
    event = Event.received(known.saying)
    turn.ports.bus.publish([event])
    _write(turn, replace(known, saying=None))
    return event


def _write(turn: Turn, known: Known) -> Known:
    turn.ports.ledger.commit(known.put())
    return replace(known, row=known.row + 1)


def _rotated(turn: Turn, known: Known, found: "ByokKey", proof: Proof) -> Event:
    kind = DetailType.CREDENTIAL_ROTATED
    reason = f"The key of {turn.name} is the one in secret {turn.byok.secret}: {proof.detail}."
    return _event(turn, kind, known, reason, credential_id=found.id, proof=proof.verdict)


def _failed(turn: Turn, known: Known, rule: str, reason: str) -> Event:
    return _event(turn, DetailType.CREDENTIAL_ROTATION_FAILED, known, reason, rule=rule)


def _event(turn: Turn, kind: DetailType, known: Known, reason: str, **more: str) -> Event:
    byok = turn.byok
    evidence = CredentialRotated(
        name=turn.name,
        workspace=byok.workspace,
        provider=byok.provider,
        secret=byok.secret or "",
        owner=byok.owner,
        **more,
    )
    id = event_id(kind, turn.name, known.version, more.get("rule", ""))
    return Event(kind, id, turn.name, turn.ports.clock(), reason, evidence.model_dump(mode="json"))

"""Promotes presets to production with a human's yes, and tells when production is not what was promoted.

What one preset's record says is carried on first, whoever left it and however: only then is anything new begun.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from governor.events import DetailType, Event, event_id
from governor.events.preset_evidence import Promotion, VersionRef
from governor.ledger import LedgerConflict
from governor.policy import Preset
from management_api import AuthenticationFailed, Deadline
from preset_promotion import preset_events, prices
from preset_promotion.asking import BY_EVENT, asked, found, renew, resume
from preset_promotion.decide import drifted, due, stale
from preset_promotion.diff import compare
from preset_promotion.ordering import decided, waiting
from preset_promotion.ports import Live, Ports, Turn
from preset_promotion.promoting import carry_on
from preset_promotion.record import Record, Served
from preset_promotion.requesting import upload
from preset_promotion.settings import Asked, Decided, Tick


@dataclass(frozen=True)
class PresetPromotion:
    """What outlives an invocation."""

    ports: Ports

    def act(self, command: Tick | Asked | Decided, seconds_left: Callable[[], float]) -> int:
        """How many presets were looked at. Raises whatever kept one from its turn, once the others had theirs."""
        if isinstance(command, Tick):
            return self._tick(Deadline(seconds_left))
        if isinstance(command, Asked) and not (command.proven or self.ports.policy.believes_events):
            command = replace(command, by=BY_EVENT)
        preset = self.ports.policy.preset(command.slug)
        if preset is None:
            if isinstance(command, Asked):
                self.ports.bus.publish([_unknown(self.ports, command)])
            return 0
        self._turn(preset, Deadline(seconds_left), lambda turn: _commanded(turn, command))
        return 1

    def _tick(self, deadline: Deadline) -> int:
        errors: list[Exception] = []
        for preset in self.ports.policy.presets:
            try:
                self._turn(preset, deadline, _looked_after)
            except LedgerConflict:
                continue  # whoever was first has it in hand
            except Exception as error:  # noqa: BLE001 - raised below, when every other preset has had its turn
                self.ports.log.warning(
                    "a preset had no turn", extra={"preset": preset.slug, "error": type(error).__name__}
                )
                errors.append(error)
        if errors:
            raise errors[0]
        return len(self.ports.policy.presets)

    def _turn(self, preset: Preset, deadline: Deadline, act: Callable[[Turn], None]) -> None:
        for fresh in (False, True):
            turn = Turn(self.ports, preset, Record.read(self.ports.ledger, preset.slug), deadline, fresh)
            try:
                turn.flush()
                act(turn)
            except AuthenticationFailed:
                if fresh:
                    raise
                self.ports.log.warning("a key was refused; its secret is read again", extra={"preset": preset.slug})
            else:
                return


class InHand(Exception):
    """A version is being posted by somebody else; the event is worth trying again in a minute or two."""


def _commanded(turn: Turn, command: Asked | Decided) -> None:
    carry_on(turn)
    if turn.record.posting:
        raise InHand(f"a version of {turn.preset.slug} is being posted to production")
    if isinstance(command, Asked):
        asked(turn, command)
    else:
        decided(turn, command.approval, command.kind)


def _looked_after(turn: Turn) -> None:
    carry_on(turn)
    if turn.record.posting:
        return
    staging, production = turn.live(turn.staging), turn.live(turn.production)
    if not turn.record.looked or (turn.record.served is None and production.content):
        _first_look(turn, staging, production)
    _drift(turn, production)
    candidate, now = turn.record.candidate, turn.ports.clock()
    if candidate and candidate.status == "asked":
        waiting(turn, candidate, staging, production)
    elif candidate and candidate.status in ("checking", "checked"):
        if candidate.until is None or candidate.until <= now:
            rule = stale(candidate, staging.seen, production.seen)
            renew(turn, rule, staging, production) if rule else resume(turn, candidate, staging, production)
    elif turn.preset.watch and staging.content and due(turn.record, staging.seen, production.seen):
        found(turn, staging, production)


def _first_look(turn: Turn, staging: Live, production: Live) -> None:
    """What is there when Governor comes, or when production gets the preset at all, is taken as it is: nobody is asked
    about the past."""
    served = Served(production.seen) if production.content else None
    record = turn.record
    taken_up = max(record.taken_up, staging.seen.number)
    turn.write(replace(record, looked=True, served=record.served or served, taken_up=taken_up))


def _drift(turn: Turn, production: Live) -> None:
    record = turn.record
    if record.drifted == 0 and production.content:
        # Restored: the next time that it is archived is news again.
        turn.write(replace(record, drifted=None))
        record = turn.record
    if not drifted(record, production.seen):
        return
    served = turn.version(turn.production, record.served.version.number) if record.served else Live()
    shown: tuple[str, ...] = ()
    file = None
    if production.content:
        diff = compare(served.content, production.content, prices.read(turn), ("promoted", "production"))
        file, note = upload(
            turn, f"{turn.preset.slug}-drift-{production.seen.number}.diff", diff.file(turn.preset.prompts)
        )
        shown = (*diff.shown, *note)
    event = preset_events.drift(turn, production.seen, shown, file)
    turn.write(replace(record, drifted=production.seen.number, edit=production.seen).telling(event))
    turn.flush()


def _unknown(ports: Ports, command: Asked) -> Event:
    """What is told of a request for a preset that is in no policy:

    1. `unknown_preset`  the policy has no such preset
    """
    nothing = VersionRef(workspace="", version=0)
    evidence = Promotion(
        name=command.slug, promotion=command.id, how="promotion", candidate=nothing, former=nothing,
        requested_by=command.by, rule="unknown_preset",
    )  # fmt: skip
    kind = DetailType.PRESET_PROMOTION_FAILED
    reason = f"The policy has no preset {command.slug}."
    id = event_id(kind, command.slug, command.id, "unknown_preset")
    return Event(kind, id, command.slug, ports.clock(), reason, evidence.model_dump(mode="json"))

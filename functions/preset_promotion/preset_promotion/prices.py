"""Reads the catalogue, and keeps the last good one for a time when `/models` does not answer."""

import contextlib

from governor.clock import format_instant, parse_instant
from governor.ledger import ABSENT, LedgerConflict, Put
from management_api import OpenRouterError, RateLimited, Unavailable
from preset_promotion.catalogue import Catalogue
from preset_promotion.ports import Turn

PK, SK = "catalogue", "models"


def read(turn: Turn) -> Catalogue:
    """The catalogue as it is, or as it last was. Raises what `/models` raised where none was ever kept."""
    row = turn.ports.ledger.get(PK, SK)
    try:
        found = Catalogue.of(turn.production.models())
        if not found.models:
            raise Unavailable("the catalogue is empty", request="GET /models")
    except (RateLimited, Unavailable) as error:
        if row is None:
            raise
        turn.ports.log.warning("the kept catalogue is used", extra={"error": _kind(error)})
        return Catalogue.unpacked(row.data["models"], parse_instant(row.data["at"]))
    data = {"at": format_instant(turn.ports.clock()), "models": found.packed()}
    with contextlib.suppress(LedgerConflict):  # somebody kept one just now: as good
        turn.ports.ledger.commit(Put(PK, SK, data, row.version if row else ABSENT))
    return found


def _kind(error: OpenRouterError) -> str:
    return f"{type(error).__name__} {error.status or ''}".strip()

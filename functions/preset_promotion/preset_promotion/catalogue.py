"""The models there are, what they cost and which parameters they take, as `/models` told it last. Pure.

It is kept packed in one row of the ledger, so that a promotion can be judged while `/models` does not answer.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from management_api import Model

MILLION = 1_000_000


@dataclass(frozen=True)
class Listed:
    """One model. Prices in USD per million tokens; None for one that varies (routers)."""

    prompt_usd: float | None
    completion_usd: float | None
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Catalogue:
    """`kept_since`: when it was read, for one that `/models` did not confirm now; None for one read just now."""

    models: Mapping[str, Listed]
    kept_since: datetime | None = None

    @classmethod
    def of(cls, models: "Iterable[Model]") -> "Catalogue":
        return cls(
            {
                model.id: Listed(
                    _per_million(float(model.pricing.prompt)),
                    _per_million(float(model.pricing.completion)),
                    frozenset(model.supported_parameters),
                )
                for model in models
            }
        )

    def find(self, model: str) -> Listed | None:
        """The model as listed, or without the suffix that only chooses among its providers (`:nitro`, `:floor`)."""
        return self.models.get(model) or self.models.get(model.partition(":")[0])

    def packed(self) -> str:
        data = {name: [one.prompt_usd, one.completion_usd, sorted(one.parameters)] for name, one in self.models.items()}
        return base64.b85encode(zlib.compress(json.dumps(data, separators=(",", ":")).encode())).decode()

    @classmethod
    def unpacked(cls, text: str, kept_since: datetime) -> "Catalogue":
        data = json.loads(zlib.decompress(base64.b85decode(text)))
        models = {
            name: Listed(prompt, completion, frozenset(names)) for name, (prompt, completion, names) in data.items()
        }
        return cls(models, kept_since)


def _per_million(per_token: float) -> float | None:
    """-1 stands for a price that varies."""
    return None if per_token < 0 else round(per_token * MILLION, 6)

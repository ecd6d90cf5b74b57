"""What a key's drift consists of."""

from dataclasses import dataclass

from governor.keys.lineage import LineageKey


@dataclass(frozen=True)
class Difference:
    """`field` as OpenRouter names it. `fix`: what Governor does where it may repair, empty when only a person can."""

    field: str
    policy: str
    live: str
    sentence: str
    fix: str = ""
    former: LineageKey | None = None

"""One scenario: what must hold, the facts that show it, and how they are told."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Scenario:
    """What was shown. `facts`: for the report. `told`: the same for a person, a short line each.

    `broken`: what should have held and did not, in words.
    """

    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.broken

    def must(self, holds: bool, what: str) -> None:
        """Note a promise that did not hold."""
        if not holds:
            self.broken.append(what)

    def tell(self, *lines: str) -> None:
        self.told.extend(lines)


def usd(amount: float | None) -> str:
    """As a person writes it; `unknown` where nobody knows."""
    return "unknown" if amount is None else f"${amount:,.2f}"

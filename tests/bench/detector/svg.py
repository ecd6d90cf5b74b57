"""A few shapes as SVG, in colours for a light and a dark page. Numbers are written with a tenth of a pixel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

_FILLS = ("habit", "quiet", "suspect", "confirm", "seen", "slow", "unseen")
_LIGHT = {
    "ink": "#1f2328", "soft": "#59636e", "habit": "#9db7d4", "quiet": "#c9d1d9", "suspect": "#e5b454",
    "confirm": "#d1464b", "limit": "#b3282d", "seen": "#bfe3c5", "slow": "#f5e2b0", "unseen": "#f3c9c9",
    "axis": "#8c959f",
}  # fmt: skip
_DARK = {
    "ink": "#e6edf3", "soft": "#9aa4af", "habit": "#4a6b92", "quiet": "#4d5560", "suspect": "#b98a2e",
    "confirm": "#c9444a", "limit": "#ff8a84", "seen": "#20552f", "slow": "#66521a", "unseen": "#6d2c2f",
    "axis": "#656c76",
}  # fmt: skip
_SHAPES = (
    "text{font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:13px}"
    "text.head{font-size:16px;font-weight:600}"
    "text.rule{font-weight:700;font-family:ui-monospace,Menlo,Consolas,monospace}"
    "text.note{font-size:12px}text.quote{font-style:italic;font-size:12px}text.limit-label{font-weight:600}"
    "text.cell-note{font-size:11px}text.middle{text-anchor:middle}text.end{text-anchor:end}"
    "line.limit{stroke-width:2;stroke-dasharray:6 4}"
)


def _colours(of: Mapping[str, str]) -> str:
    fills = "".join(f"rect.{name}{{fill:{of[name]}}}" for name in _FILLS)
    texts = f"text{{fill:{of['ink']}}}text.note,text.quote{{fill:{of['soft']}}}text.limit-label{{fill:{of['limit']}}}"
    return f"{fills}{texts}line.limit{{stroke:{of['limit']}}}line.axis{{stroke:{of['axis']}}}"


@dataclass
class Svg:
    """A picture of so many pixels. `title`: what it shows, in words, for who cannot see it."""

    width: int
    height: int
    title: str
    _shapes: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, style: str) -> None:
        if words:
            self._shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{style}">{escape(words, quote=False)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, style: str) -> None:
        size = f'width="{width:.1f}" height="{max(height, 0.0):.1f}" rx="2"'
        self._shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{style}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        self._shapes.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def content(self) -> str:
        """The file's content."""
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        style = f"{_SHAPES}{_colours(_LIGHT)}@media (prefers-color-scheme:dark){{{_colours(_DARK)}}}"
        title = f"<title>{escape(self.title, quote=False)}</title>"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        return "\n".join([head, title, f"<style>{style}</style>", *self._shapes, "</svg>", ""])

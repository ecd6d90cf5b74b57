"""A log in memory."""


class MemoryLog:
    """`Log` that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, msg: object, *, extra: object = None) -> None:
        self.lines.append(f"{msg} {extra}" if extra is not None else f"{msg}")

    warning = info

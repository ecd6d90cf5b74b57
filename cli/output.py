"""What a command writes: results to stdout, everything else to stderr, and files that are never half-written."""

import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text


class ExitCode(IntEnum):
    """What `governor` ends with, for scripts."""

    OK = 0
    FINDINGS = 1
    """Done, and the command found what its help names: differences, mistakes, gaps."""
    USAGE = 2
    """The command, an option, a file or the environment is wrong."""
    FAR_SIDE = 3
    """OpenRouter or AWS could not be reached, or refused."""
    INTERRUPTED = 130


class Failure(Exception):
    """A command cannot do what was asked. `what`: what happened, to what; `fix`: what to do about it."""

    def __init__(self, what: str, *, fix: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.code = code


class Advance(Protocol):
    """Moves a progress bar on."""

    def __call__(self, steps: int = 1) -> None: ...


def _console(*, stderr: bool) -> Console:
    # No markup: a key named "[red]" must be shown as it is.
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


@dataclass
class Output:
    """Where one command writes. `as_json`: results as one JSON document, for programs."""

    as_json: bool = False
    stdout: Console = field(default_factory=lambda: _console(stderr=False))
    stderr: Console = field(default_factory=lambda: _console(stderr=True))
    _is_showing: bool = field(default=False, init=False)

    def result(self, document: Mapping[str, Any] | Sequence[Any], render: Callable[[Console], None]) -> None:
        """The command's result: `document` as JSON with --json, else what `render` prints. Money in USD, times UTC."""
        if self.as_json:
            # Not through the console, which would wrap it.
            self.stdout.file.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")
        else:
            render(self.stdout)

    def message(self, text: str, *, style: str | None = None) -> None:
        """Tells a person something that is not the result, on stderr."""
        self.stderr.print(Text(plain(text), style=style or ""), soft_wrap=not self.stderr.is_terminal)

    def failure(self, failure: Failure) -> None:
        """Tells why the command failed, and what to do."""
        self.message(f"error: {failure.what}", style="bold red")
        self.message(f"fix: {failure.fix}")

    @contextmanager
    def progress(self, doing: str, total: int | None = None) -> Iterator[Advance]:
        """Shows that something is under way, for whatever may take over a second. `total`: steps; None: not known.

        A bar in a terminal, which goes when it is done; one line elsewhere. Within another one, and in another thread,
        nothing is shown: what the person is told already goes on.
        """
        if self._is_showing or threading.current_thread() is not threading.main_thread():
            yield lambda steps=1: None
            return
        self._is_showing = True
        try:
            with self._shown(doing, total) as advance:
                yield advance
        finally:
            self._is_showing = False

    @contextmanager
    def _shown(self, doing: str, total: int | None) -> Iterator[Advance]:
        if not self.stderr.is_terminal:
            self.message(f"{doing} ...")
            yield lambda steps=1: None
            return
        count = MofNCompleteColumn() if total else TextColumn("")
        # Rich's own bar is drawn on a dark grey, which is seen on a light terminal only.
        line = BarColumn(20, style="dim", complete_style="green", finished_style="green", pulse_style="green")
        columns = (SpinnerColumn("line"), TextColumn("{task.description}"), line, count, TimeElapsedColumn())
        with Progress(*columns, console=self.stderr, transient=True) as bar:
            task = bar.add_task(plain(doing), total=total)
            yield lambda steps=1: bar.advance(task, steps)


def plain(text: str) -> str:
    """`text` without what a terminal would obey: whoever may name a key must not move somebody's cursor."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text)


def table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """An empty table that folds what is too wide rather than cutting it off. `numbers`: columns set to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold", justify="right" if name in numbers else "left")
    return made


def row(made: Table, *cells: object) -> None:
    """Adds a row; None is an empty cell."""
    made.add_row(*(Text("" if cell is None else plain(str(cell))) for cell in cells))


def usd(amount: float | None) -> str:
    """An amount for people: cents below a thousand dollars, whole dollars above."""
    if amount is None:
        return ""
    return f"${amount:,.2f}" if abs(amount) < 1000 else f"${amount:,.0f}"


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes the file whole or not at all: an interrupt, a full disk or a kill leaves the old one as it was.

    A symbolic link stays one. The permissions of a file that was there are kept. Raises `Failure`.
    """
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _unwritable(path: Path, error: OSError) -> Failure:
    return Failure(f"{path} could not be written: {error.strerror}", fix="Give a path in a folder that you may write.")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

"""The program `governor`. It understands Ctrl-C before it loads anything: that takes a second, and a library that is
interrupted while it is loaded answers with a traceback.
"""

import _thread
import contextlib
import os
import signal
import sys
import threading

INTERRUPTED = 130
"""`cli.output.ExitCode.INTERRUPTED`, which cannot be loaded here yet."""
PATIENCE_SECONDS = 2.0
_CURSOR_BACK = "\x1b[?25h"
"""A progress bar hides the cursor, and cannot show it again once its process is gone."""


def main() -> None:
    """Runs the command line and ends the process."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        from cli.main import app

        app()
    except KeyboardInterrupt:
        _leave("Interrupted.\n")
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _leave("")
        raise


def _interrupted(_signal: int, _frame: object) -> None:
    """Ctrl-C ends the process within two seconds, though threads that wait for an answer keep its usual way out."""
    last = threading.Timer(PATIENCE_SECONDS, _give_up)
    last.daemon = True
    last.start()
    sys.unraisablehook = _unraisable
    raise KeyboardInterrupt


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """An interrupt that met a finalizer, which Python prints and forgets, is raised again where it can be heard.

    What the interrupt caught half made may fail in its finalizer: nobody is helped by that traceback.
    """
    if lost.exc_type is KeyboardInterrupt:
        _thread.interrupt_main()


def _give_up() -> None:
    _leave(f"{_CURSOR_BACK}\nInterrupted.\n" if sys.__stderr__ and sys.__stderr__.isatty() else "Interrupted.\n")


def _leave(text: str) -> None:
    """Ends the process here. The interpreter would wait for every thread that still waits for an answer."""
    # The process's own: while a bar is shown, Rich has put others in their place, which print no control codes.
    for stream, last in ((sys.__stdout__, ""), (sys.__stderr__, text)):
        if stream:
            with contextlib.suppress(OSError):  # nobody reads it any more
                stream.write(last)
                stream.flush()
    os._exit(INTERRUPTED)

"""`make play`: the built stack, its simulators and a page on which all of it can be seen and touched.

    python -m sandbox.play [--port 8790]

Prints the address, and runs until Ctrl-C. Nothing leaves the machine: everything listens on the loopback interface.
"""

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from sandbox import build
from sandbox.play.driver import Driver
from sandbox.play.money import Money
from sandbox.play.organization import DECLARED, playground, settle_in
from sandbox.play.server import create_app
from sandbox.play.snapshot import Board, parts
from sandbox.play.troubles import Stage
from sandbox.scenario.organization import SANDBOX
from sandbox.scenario.world import World, open_world

PORT = 8790


@contextlib.contextmanager
def opened(folder: Path, listener: socket.socket) -> Iterator[tuple[str, World]]:
    """The page, served at a listening socket of the loopback interface; its address, and the world that it shows.

    `folder` takes the stack and its policy. While the page is served, only its driver touches the world.
    """
    with open_world(folder, account=playground()) as world:
        stage = Stage(world, settle_in(world))
        money, board = Money(world, (*DECLARED, SANDBOX)), Board()
        driver = Driver(world, stage.before_step, lambda: board.show(parts(world, stage, money, driver)))
        driver.start()
        config = uvicorn.Config(
            create_app(stage, driver, board), log_level="error", access_log=False, lifespan="off", ws="none",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", world
        finally:
            server.should_exit = True
            thread.join()
            driver.close()


def main() -> int:
    """Serves until it is interrupted; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help=f"port on 127.0.0.1; 0 takes a free one ({PORT})")
    port = parser.parse_args().port
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ended = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        print(f"Port {port} of 127.0.0.1 cannot be used: {why}. Choose another: PORT=0 make play")
        return 1
    print("Building the stack with sam (once per change of its sources), then starting it ...", flush=True)
    build.stack()
    with (
        listener,
        tempfile.TemporaryDirectory(prefix="play-") as folder,
        opened(Path(folder), listener) as (address, _),
    ):
        print(f"Governor, alive: {address} (Ctrl-C ends it)", flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())

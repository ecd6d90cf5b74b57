"""uvicorn in a thread, on a loopback port, with connections that a fault can close."""

import contextlib
import socket
import threading
from asyncio import Transport
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol


class _ClosableProtocol(H11Protocol):
    """Hands each request its connection in `scope["state"]`; a lost answer closes it."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn's own annotation
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


@contextlib.contextmanager
def serve(app: Any, port: int) -> Iterator[int]:
    """Serve on 127.0.0.1 and yield the port, already open."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        # asyncio sets this on sockets of an explicit protocol only; without it each answer waits 40 ms for an ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            http=_ClosableProtocol,
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()

"""Unit tests run in milliseconds and may not open a socket."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _sockets_are_blocked():
    # Unix sockets stay: asyncio's own self-pipe is one.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()

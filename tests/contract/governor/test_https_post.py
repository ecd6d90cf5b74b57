"""`HttpsPost` against servers on the loopback: what it sends, what it makes of an answer, and what it leaves unread."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from governor import https_post
from governor.https_post import HttpsPost, NoAnswer

QUERY = "tenant=fake-tenant"
HEADERS = {"webhook-id": "e1"}


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server of one connection: it reads a request, then `answer` has the socket. Address, and what was read."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                heard.append(connection.recv(65536))
                if b'{"a":1}' not in heard[0]:
                    heard[0] += connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.getsockname()[1]}/hooks?{QUERY}", heard
        finally:
            thread.join(10)
            assert not thread.is_alive()


def said(text: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(text)


def test_it_posts_the_body_and_the_headers_as_they_are() -> None:
    with answering(said(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")) as (url, heard):
        assert HttpsPost(url).post(b'{"a":1}', HEADERS) == 202
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST /hooks?{QUERY} HTTP/1.1".encode())
    assert body == b'{"a":1}'
    lines = head.lower().split(b"\r\n")
    assert {b"webhook-id: e1", b"content-type: application/json", b"content-length: 7"} <= set(lines)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"
    with answering(said(moved)) as (url, _):
        assert HttpsPost(url).post(b'{"a":1}', HEADERS) == 307


def test_a_body_without_end_is_not_read() -> None:
    sent = [0]

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        with suppress(ConnectionError):  # when the other side hangs up; a timeout is none
            while True:
                connection.sendall(b"x" * 65536)
                sent[0] += 65536

    with answering(endless) as (url, _):
        assert HttpsPost(url).post(b'{"a":1}', HEADERS) == 200
    assert sent[0] < 64 * 1024 * 1024, "only what the machine's own buffers took"


def test_headers_without_end_are_no_answer() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        with suppress(ConnectionError):  # when the other side hangs up; a timeout is none
            while True:
                connection.sendall(b"x" * 65536)

    with answering(endless) as (url, _), pytest.raises(NoAnswer, match="RemoteProtocolError"):
        HttpsPost(url).post(b'{"a":1}', HEADERS)


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_post, "ANSWER_SECONDS", 0.05)

    def silent(connection: socket.socket) -> None:
        assert connection.recv(1) == b"", "until the other side hangs up"

    with answering(silent) as (url, _), pytest.raises(NoAnswer, match="no answer from localhost: ReadTimeout"):
        HttpsPost(url).post(b'{"a":1}', HEADERS)


def test_who_hangs_up_has_not_answered() -> None:
    with answering(said(b"")) as (url, _), pytest.raises(NoAnswer, match="RemoteProtocolError"):
        HttpsPost(url).post(b'{"a":1}', HEADERS)


def test_where_nobody_listens_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoAnswer, match="no answer from localhost: ConnectError"):
        HttpsPost(f"http://localhost:{port}/").post(b"{}", HEADERS)


def test_https_speaks_to_nobody_who_does_not_prove_who_they_are() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].close(), daemon=True)
        thread.start()
        with pytest.raises(NoAnswer, match="ConnectError"):
            HttpsPost(f"https://localhost:{server.getsockname()[1]}/").post(b"{}", HEADERS)
        thread.join(10)


def test_neither_a_log_nor_an_error_has_the_query(caplog: pytest.LogCaptureFixture) -> None:
    """httpx's client logs the whole address at INFO, at which Lambda's JSON logs stand."""
    with (
        caplog.at_level(logging.INFO),
        answering(said(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")) as (url, _),
    ):
        assert HttpsPost(url).post(b'{"a":1}', HEADERS) == 500
    with caplog.at_level(logging.INFO), answering(said(b"nonsense\r\n\r\n")) as (url, _):
        with pytest.raises(NoAnswer) as failed:
            HttpsPost(url).post(b'{"a":1}', HEADERS)
        logging.getLogger("test").error("failed", exc_info=failed.value)
    assert "failed" in caplog.text
    assert "fake-tenant" not in caplog.text

"""OpenRouter as the benches meet it: the simulator itself, or what it answers, recorded and replayed at no cost.

    python -m tests.bench.far_side simulator|replay KEYS WORKSPACES

The simulator takes a millisecond or two of processor time for a page of 100 keys: less than OpenRouter takes to answer,
but on two cores enough to hide what a client costs. The replay lays that bare: each answer is asked of the simulator
once, outside the measurement, and served again from memory, byte for byte. Prints its base URL, then serves until its
standard input closes.

`/_far/move?share=S&minute=M` moves the clock to the epoch minute M and lets S of all keys spend;
`/_far/latency?seconds=S` delays every answer; `/_far/asked` tells what was asked since the last time, and its bytes
(those the replay alone counts).
"""

import asyncio
import json
import random
import sys
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from fastapi import Request

from sandbox.openrouter.simulator import Simulator

MANAGEMENT_KEY = "sk-or-v1-fake-bench"
START_MINUTE = 29_653_980
"""2026-05-20T09:00Z."""
PAST_DAYS = 40
PREFIX = "/api/v1"


class Simulated:
    """The simulator, its clock and its traffic in the bench's hand."""

    def __init__(self, keys: int, workspaces: int) -> None:
        self._now = (START_MINUTE - PAST_DAYS * 1440) * 60.0
        self.simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self._now, credits=1e9)
        self.simulator.declare(organization(keys, workspaces))
        self._now = START_MINUTE * 60.0
        self._keys = list(self.simulator.organization.keys)

    async def serve(self) -> None:
        async def control(request: Request) -> Any:
            return await self.control(request.url.path, dict(request.query_params))

        self.simulator.app.add_api_route("/_far/{what}", control)
        with self.simulator.serve() as url:
            await _until_told(url)

    async def control(self, path: str, given: dict[str, str]) -> dict[str, Any]:
        match path.removeprefix("/_far/"):
            case "move":
                await self.move(float(given["share"]), int(given["minute"]))
            case "latency":
                self.delay(float(given["seconds"]))
            case "asked":
                asked, sent = self.asked()
                return {"asked": asked, "bytes": sent}
        return {}

    async def move(self, share: float, minute: int) -> None:
        """Half a cent a move: a key that moves every fifth minute spends some $40 a month, as real ones do."""
        self._now = minute * 60.0
        dice = random.Random(minute)
        for key in dice.sample(self._keys, round(share * len(self._keys))):
            self.simulator.organization.charge(key, self._now, round(dice.uniform(0.001, 0.009), 6), 0.0)

    def delay(self, seconds: float) -> None:
        self.simulator.latency = seconds

    def asked(self) -> tuple[list[str], int]:
        requests = self.simulator.requests
        asked = [f"{one.method} {PREFIX}{one.path}{'?' if one.query else ''}{one.query}" for one in requests]
        requests.clear()
        return asked, 0


class Replay(Simulated):
    """Records what the simulator answers, and answers with the record."""

    def __init__(self, keys: int, workspaces: int) -> None:
        super().__init__(keys, workspaces)
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.simulator.app),
            base_url="http://localhost",
            headers={"Authorization": f"Bearer {MANAGEMENT_KEY}"},
        )
        self._recorded: dict[str, bytes] = {}
        self._latency = 0.0
        self._asked: list[str] = []
        self._bytes = 0

    async def serve(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        await _until_told(f"http://localhost:{server.sockets[0].getsockname()[1]}{PREFIX}")

    async def move(self, share: float, minute: int) -> None:
        await super().move(share, minute)
        for target in list(self._recorded):
            self._recorded[target] = await self._ask("GET", target, b"")

    def delay(self, seconds: float) -> None:
        self._latency = seconds

    def asked(self) -> tuple[list[str], int]:
        asked, self._asked = self._asked, []
        sent, self._bytes = self._bytes, 0
        return asked, sent

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target = head.split(b" ", 2)[:2]
                body = await reader.readexactly(_length(head))
                writer.write(await self._answer(method.decode(), target.decode(), body, len(head)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, method: str, target: str, body: bytes, head: int) -> bytes:
        url = urlsplit(target)
        if url.path.startswith("/_far/"):
            return _ok(json.dumps(await self.control(url.path, dict(parse_qsl(url.query)))).encode())
        self._asked.append(f"{method} {target}")
        self._bytes += head + len(body)
        if self._latency:
            await asyncio.sleep(self._latency)
        if method != "GET":
            return await self._ask(method, target, body)
        if target not in self._recorded:
            self._recorded[target] = await self._ask(method, target, b"")
        return self._recorded[target]

    async def _ask(self, method: str, target: str, body: bytes) -> bytes:
        answer = await self._http.request(method, target, content=body)
        answer.raise_for_status()
        return _ok(answer.content)


FAR_SIDES = {"simulator": Simulated, "replay": Replay}


def organization(keys: int, workspaces: int) -> dict[str, object]:
    """A seed for the simulator: `keys` spread evenly, half with a monthly limit, a guardrail in each workspace."""
    slugs = [f"team-{number}" for number in range(workspaces - 1)]  # the default workspace is there already
    names = [(f"prod-team-key{number}", ["default", *slugs][number % workspaces]) for number in range(keys)]
    return {
        "workspaces": [{"name": slug, "slug": slug, "budgets": {"monthly": 50_000}} for slug in slugs],
        "keys": [
            {"name": name, "workspace": slug, **({"limit": 500, "limit_reset": "monthly"} if number % 2 else {})}
            for number, (name, slug) in enumerate(names)
        ],
        "guardrails": [
            {"name": f"guard {slug}", "workspace": slug, "limit_usd": 500, "reset_interval": "monthly",
             "keys": [name for name, home in names if home == slug][:50]}
            for slug in slugs
        ],
    }  # fmt: skip


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _until_told(url: str) -> None:
    print(url, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(FAR_SIDES[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3])).serve())

"""Worker: the floor of a sweep. One `httpx.Client`, as many threads, the same requests, `json.loads`; no more."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpx


@cache
def client() -> httpx.Client:
    """Made at the first turn, as the meter makes its own: a cold floor pays for it too."""
    return httpx.Client(headers={"Authorization": "Bearer sk-or-v1-fake-bench"}, timeout=30)


def get(origin: str, targets: list[str], concurrency: int) -> dict[str, Any]:
    cpu, start = time.process_time(), time.perf_counter()
    http = client()

    def one(target: str) -> Any:
        answer = http.get(origin + target)
        assert answer.status_code == 200
        return json.loads(answer.content)

    with ThreadPoolExecutor(concurrency) as pool:
        pages = list(pool.map(one, targets))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "answers": len(pages)}


if __name__ == "__main__":
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps({"get": get}[given.pop("do")](**given)), flush=True)

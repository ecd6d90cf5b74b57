"""Worker: every key of every workspace with the vendor's own SDK, by as many threads."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openrouter import OpenRouter

PAGE = 100


class Vendor:
    def start(self, base_url: str) -> dict[str, Any]:
        self.client = OpenRouter(api_key="sk-or-v1-fake-bench", server_url=base_url)
        return {}

    def list(self, workspaces: list[str], concurrency: int) -> dict[str, Any]:
        start = time.perf_counter()
        with ThreadPoolExecutor(concurrency) as pool:
            keys = sum(pool.map(self._workspace, workspaces))
        return {"seconds": time.perf_counter() - start, "keys_read": keys}

    def _workspace(self, id: str) -> int:
        read: list[Any] = []
        while True:
            page = self.client.api_keys.list(
                workspace_id=id, offset=len(read), include_disabled=True, include_expired=True
            ).data
            read += page
            if len(page) < PAGE:
                return len(read)


if __name__ == "__main__":
    vendor = Vendor()
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(getattr(vendor, given.pop("do"))(**given)), flush=True)

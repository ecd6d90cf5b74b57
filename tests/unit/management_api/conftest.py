"""A client that neither sleeps nor rolls dice, over a far side that is a function."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from management_api import OpenRouter, Pacing, Retry
from tests.unit.management_api.far_side import SECRET, Sleeper


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def client_of(sleeper: Sleeper) -> Callable[..., OpenRouter]:
    """`client_of(handler)`: a client whose far side is `handler`; backoff of 1, 2, 4 seconds, slept on `sleeper`."""

    def make(
        handler: Callable[[httpx.Request], httpx.Response], *, pacing: Pacing | None = None, **retry: Any
    ) -> OpenRouter:
        settings = {"base": 1.0, "sleep": sleeper.sleep, "random": lambda: 1.0, "now": lambda: 1_800_000_000.0, **retry}
        return OpenRouter(
            SecretStr(SECRET), transport=httpx.MockTransport(handler), retry=Retry(**settings), pacing=pacing
        )

    return make

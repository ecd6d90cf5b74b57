"""What every tier shares: a fake AWS identity, so that no test can reach an account."""

import os

import hypothesis
import pytest

# A busy machine is no fault of the code: hypothesis' limit of 200 ms an example is a clock on the wall.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

os.environ.update(
    AWS_ACCESS_KEY_ID="fake", AWS_SECRET_ACCESS_KEY="fake", AWS_SESSION_TOKEN="fake", AWS_DEFAULT_REGION="us-east-1"
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)

"""Runs rotations as Secrets Manager does: four steps in order, all of them anew with the same token after a failure.

How long AWS waits before it tries again, and how often, is not documented; here it is five attempts, further apart each
time. Its own schedule (`AutomaticallyAfterDays`) counts from the last rotation.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

from sandbox.engine.agenda import Agenda
from sandbox.engine.clock import VirtualClock
from sandbox.engine.permissions import Permissions
from sandbox.engine.pool import Pool
from sandbox.engine.secrets_manager import as_documented, begin_rotation, holder
from sandbox.engine.template import ACCOUNT, REGION

SECRETS_MANAGER = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
AGAIN_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))


class Rotations:
    """Puts each attempt on the agenda, and sees it through."""

    def __init__(self, pool: Pool, permissions: Permissions, agenda: Agenda, clock: VirtualClock) -> None:
        self._pool, self._permissions, self._agenda, self._clock = pool, permissions, agenda, clock
        self._scheduled: dict[str, int] = {}
        """How often each secret's schedule was set: an older one is void."""

    @contextmanager
    def installed(self) -> Iterator[None]:
        with as_documented(self._begin):
            yield

    def _begin(self, secret_arn: str, token: str, function_arn: str) -> None:
        self._agenda.add(self._clock.now(), lambda: self._attempt(secret_arn, token, function_arn, 0))

    def _attempt(self, secret_arn: str, token: str, function_arn: str, tried: int) -> None:
        secret = self._secret(secret_arn)
        if secret is None or not secret.rotation_enabled or not self._steps(secret, token, function_arn):
            if secret is not None and secret.rotation_enabled and tried < len(AGAIN_AFTER):
                due = self._clock.now() + AGAIN_AFTER[tried]
                self._agenda.add(due, lambda: self._attempt(secret_arn, token, function_arn, tried + 1))
            return
        secret.last_rotation_date = int(self._clock.now().timestamp())
        self._schedule(secret, function_arn)

    def _steps(self, secret: FakeSecret, token: str, function_arn: str) -> bool:
        function = self._pool.by_arn(function_arn)
        allowed = self._permissions.service_may(
            SECRETS_MANAGER, "lambda:InvokeFunction", function_arn, {"aws:SourceArn": secret.arn}
        )
        if function is None or not allowed:
            return False
        for step in STEPS:
            event: dict[str, Any] = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
            if self._pool.invoke(function, json.dumps(event).encode(), "secretsmanager").kind != "response":
                return False
        return holder(secret, "AWSCURRENT") == token

    def _schedule(self, secret: FakeSecret, function_arn: str) -> None:
        days = secret.auto_rotate_after_days
        if not days:
            return
        number = self._scheduled[secret.arn] = self._scheduled.get(secret.arn, 0) + 1
        self._agenda.add(
            self._clock.now() + timedelta(days=days), lambda: self._by_schedule(secret.arn, function_arn, number)
        )

    def _by_schedule(self, secret_arn: str, function_arn: str, number: int) -> None:
        secret = self._secret(secret_arn)
        if secret is None or not secret.rotation_enabled or self._scheduled.get(secret_arn) != number:
            return
        token = str(uuid.uuid4())
        try:
            begin_rotation(secret, token, function_arn, {})
        except InvalidRequestException:
            # An earlier one is unfinished: that one is attempted again.
            token = holder(secret, "AWSPENDING") or token
        self._attempt(secret_arn, token, function_arn, 0)

    def _secret(self, arn: str) -> FakeSecret | None:
        found = secretsmanager_backends[ACCOUNT][REGION].secrets.get(arn)
        return found if isinstance(found, FakeSecret) and not found.is_deleted() else None

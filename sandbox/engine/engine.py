"""The face of the sandbox: deploys a built stack, and runs it at a virtual clock."""

import json
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from moto.secretsmanager.models import secretsmanager_backends

from sandbox.engine.agenda import Agenda
from sandbox.engine.asynchronous import AsyncInvoker
from sandbox.engine.aws import serving
from sandbox.engine.bus import EventBridge
from sandbox.engine.callers import signed_in
from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Lost
from sandbox.engine.deployed import Deployed
from sandbox.engine.errors import EngineError
from sandbox.engine.faults import Faults
from sandbox.engine.iam_gate import IamGate
from sandbox.engine.invoke_api import InvokeApi
from sandbox.engine.permissions import Permissions, Role
from sandbox.engine.policy import Statement
from sandbox.engine.pool import Invocation, Pool
from sandbox.engine.queues import QueuePoller
from sandbox.engine.rotations import Rotations
from sandbox.engine.scheduler import Scheduler, Thin
from sandbox.engine.stack import Stack
from sandbox.engine.streams import ShardPoller, shards_of
from sandbox.engine.template import ACCOUNT, REGION
from sandbox.engine.urls import FunctionUrls

# moto's state and the clock belong to the process.
_ONE_AT_A_TIME = threading.Lock()


class Engine(Deployed):
    """A deployed stack, and others beside it.

    Nothing happens in it but in `run_until`, `invoke`, and requests to function URLs.

    `run_until` takes the earliest thing due (a schedule, a retry, a queue's batch, an event), moves the clock there,
    and sees it and what it caused through before the next: the order is the same in every run. Functions take real
    time, and the clock runs with them.
    """

    def __init__(
        self,
        built: Path,
        parameters: Mapping[str, str],
        secrets: Mapping[str, str | Mapping[str, Any]],
        start: datetime,
        environment: Mapping[str, str],
        name: str,
    ) -> None:
        self._exit = ExitStack()
        self.clock, self.faults, self._agenda = VirtualClock(start), Faults(), Agenda()
        self.clock.start()
        self._exit.callback(self.clock.stop)
        folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="engine-")))
        self._permissions = permissions = Permissions()
        self._aws = self._exit.enter_context(serving())
        gate = IamGate(permissions, self.faults.lost)
        self._exit.enter_context(gate.installed())
        self._pool = Pool(folder, self._aws, permissions, self.clock, self.faults, environment)
        self._exit.callback(self._pool.close)
        invoker = AsyncInvoker(self._pool, self._agenda, self.clock, self.faults)
        self._delivery = Delivery(self._aws, permissions, self.clock.now, self._pool.by_arn, invoker.queue)
        invoker.delivery = self._delivery
        bridge = EventBridge(self._agenda, self.clock, self._delivery)
        self._exit.enter_context(bridge.installed())
        self._exit.enter_context(Rotations(self._pool, permissions, self._agenda, self.clock).installed())
        self._exit.enter_context(InvokeApi(self._pool, self._delivery, self.clock).installed())
        self._urls = FunctionUrls(self._pool, permissions, self.clock)
        self._exit.callback(self._urls.close)
        self._permissions, self._gate = permissions, gate
        self._schedules: dict[str, str] = {}
        self._scheduler = Scheduler(self._delivery, bridge, self.clock, self._schedules)
        self._pollers: list[QueuePoller | ShardPoller] = []
        super().__init__(self._deployed(built, parameters, secrets, name, ""), self._pool, self._aws, self._urls)
        self.clock.tick()

    @classmethod
    def deploy(
        cls,
        built: Path,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | Mapping[str, Any]] | None = None,
        start: str | datetime = "2026-01-05T00:00:00Z",
        environment: Mapping[str, str] | None = None,
        name: str = "sandbox",
    ) -> Self:
        """Deploys what `sam build` left in the folder `built`, as a stack called `name`; a context manager.

        `secrets` (name to text or JSON) exist before the stack does; `environment` is added to every function's.
        Raises `UnsupportedTemplate` or `DeploymentFailed`. One engine at a time in a process.
        """
        if not _ONE_AT_A_TIME.acquire(blocking=False):
            raise EngineError("an engine is running in this process already: close it first")
        engine = cls.__new__(cls)
        try:
            instant = datetime.fromisoformat(start) if isinstance(start, str) else start
            engine.__init__(built, parameters or {}, secrets or {}, instant, environment or {}, name)  # type: ignore[misc]  # so that a half-made engine can be closed
        except BaseException:
            engine.close()
            raise
        return engine

    def beside(
        self,
        built: Path,
        name: str,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | Mapping[str, Any]] | None = None,
    ) -> Deployed:
        """Deploys another stack into the same account and region, of whose functions' records `name.` is the prefix."""
        return Deployed(
            self._deployed(built, parameters or {}, secrets or {}, name, f"{name}."), self._pool, self._aws, self._urls
        )

    def _deployed(
        self,
        built: Path,
        parameters: Mapping[str, str],
        secrets: Mapping[str, str | Mapping[str, Any]],
        name: str,
        prefix: str,
    ) -> Stack:
        self._gate.enforcing = False
        for secret, value in secrets.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self._aws.client("secretsmanager").create_secret(Name=secret, SecretString=text)
        stack = Stack(built, parameters, self._aws, self._permissions, self._urls.url, prefix)
        stack.deploy(name)
        self._pool.functions |= {one.logical_id: one for one in stack.functions.values()}
        self._pollers += [QueuePoller(one, self._pool, self._aws, self.clock, self.faults) for one in stack.mappings]
        self._pollers += [
            ShardPoller(one, shard, self._pool, self._aws, self.clock, self.faults, self._delivery)
            for one in stack.streams
            for shard in shards_of(one.stream_arn)
        ]
        self._schedules |= stack.schedules
        self._delivery.destinations |= stack.destinations
        self._scheduler.next_firing({})
        self._gate.enforcing = True
        return stack

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every worker and gives the process its clock back."""
        self._exit.close()
        _ONE_AT_A_TIME.release()

    def now(self) -> datetime:
        return self.clock.now()

    def run_until(
        self,
        until: datetime | timedelta,
        thin: Thin | None = None,
        before: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        """Does everything due until then (an instant, or so long from now), and leaves the clock there.

        `thin` names schedules (by name or logical id) that in this stretch fire only every so many seconds, and do not
        make up for it after. `before` hears of each instant before the clock moves there: what happens outside the
        stack until then can happen now.
        """
        end = self.now() + until if isinstance(until, timedelta) else until
        while True:
            due, step = self._next(thin or {})
            # What was caused on the way is due now, which may be a moment past the end.
            if step is None or due > max(end, self.now()):
                break
            before(due)
            self.clock.move_to(due)
            step()
        before(end)
        self.clock.move_to(end)
        self._scheduler.thinned(thin or {}, end)

    def settle(self) -> None:
        """Does everything due by now, and what it causes."""
        self.run_until(timedelta())

    def recycle(self) -> None:
        """Every function starts anew at its next event, as after a deployment."""
        self._pool.recycle()

    def sign_in(self, arn: str, statements: Sequence[Statement] = ()) -> dict[str, str]:
        """Credentials of a person: a user, or a session of a role, by ARN; `statements` say what they may do."""
        return signed_in(self._aws, self._permissions, arn, statements)

    def client_with(self, credentials: Mapping[str, str], service: str) -> Any:
        """A boto3 client under credentials of `sign_in`; what is done with it is held to their statements."""
        return self._aws.client(service, dict(credentials))

    def secret_text(self, name: str, region: str = REGION) -> str:
        """What GetSecretValue answers now, without a request: for consumers that read it thousands of times."""
        backend: Any = secretsmanager_backends[ACCOUNT][region]
        return str(backend.get_secret_value(name, None, None)["SecretString"])

    def client_of(self, name: str, allowed: Sequence[Statement], service: str) -> Any:
        """A boto3 client of a role of this account, `name`, that is not the stack's: `allowed` is its whole policy."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        self._permissions.roles[arn] = Role(arn, [], list(allowed))
        return self._aws.client(service, self._pool.role_credentials(arn, name))

    @property
    def invocations(self) -> list[Invocation]:
        """Every run of every function, in the order they ended."""
        return self._pool.invocations

    @property
    def lost(self) -> list[Lost]:
        """What AWS would have dropped: failures with no dead-letter queue, refusals by one."""
        return self._delivery.lost

    def _next(self, thin: Thin) -> tuple[datetime, Callable[[], None] | None]:
        due: tuple[datetime, Callable[[], None] | None] = (datetime.max.replace(tzinfo=UTC), None)
        if (pending := self._agenda.next_due()) is not None:
            due = (pending, lambda: self._agenda.pop()())
        for poller in self._pollers:
            if (ready := poller.next_due()) is not None and ready < due[0]:
                due = (ready, poller.poll)
        firing = self._scheduler.next_firing(thin)
        if firing is not None and firing.due < due[0]:
            due = (firing.due, lambda: self._scheduler.fire(firing))
        return due

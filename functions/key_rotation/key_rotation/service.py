"""Runs one step, from whatever point an earlier attempt reached (promise 1), and says what it could not do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from governor.ledger import LedgerConflict
from governor.policy import Workload
from governor.secrets import SecretMalformed
from governor.secrets.versions import SecretState
from key_rotation import create_secret, finish_secret, rotation_events, set_secret
from key_rotation.decide import stand
from key_rotation.ports import Ports, Refused, Rotating
from key_rotation.settings import Step
from management_api import AuthenticationFailed, Deadline, ReadForbidden, Rejected, WriteForbidden

ATTEMPTS = 4
"""How often a lost conditional write is decided anew before Secrets Manager's retries take over."""


class BadSecret(Exception):
    """The secret is not a workload's; the message names it and the fix."""


@dataclass(frozen=True)
class KeyRotation:
    """What outlives an invocation."""

    ports: Ports

    def run(self, step: Step, seconds_left: Callable[[], float]) -> str:
        """Carries the step out; the rule by which it ended.

        Raises whatever kept it from its end, so that Secrets Manager tries again; what another try cannot fix is told
        as Rotation Failed first.
        """
        secret = self.ports.secrets.describe(step.secret)
        workload = self._workload_of(secret, step)
        decision = stand(secret, step.token)
        try:
            if decision.action == "refuse":
                raise Refused(decision.rule, decision.reason)
            if decision.action == "go" or step.name == "finishSecret":
                self._carry_out(step, secret, workload, seconds_left)
        except (Refused, SecretMalformed, Rejected, AuthenticationFailed) as error:
            self._tell(step, workload, error)
            raise
        return decision.rule

    def _workload_of(self, secret: SecretState, step: Step) -> Workload:
        found = next((one for one in self.ports.policy.workloads if one.secret == secret.name), None)
        if found is None:
            reason = (
                f"secret {secret.name} is not a workload's: name it in the policy (workloads[].secret), or take this "
                f"rotation function off it"
            )
            event = rotation_events.not_ours(secret.name, step.token, step.name, f"S{reason[1:]}.", self.ports.clock())
            self.ports.bus.publish([event])
            raise BadSecret(reason)
        return found

    def _carry_out(
        self, step: Step, secret: SecretState, workload: Workload, seconds_left: Callable[[], float]
    ) -> None:
        account = partial(self.ports.connect, Deadline(seconds_left))
        rotating = Rotating(self.ports, account, workload, secret, step.token)
        try:
            self._decided(step, rotating)
        except AuthenticationFailed:
            self.ports.log.warning("the management key was refused; its secret is read again")
            self._decided(step, replace(rotating, account=partial(account, fresh=True)))

    def _decided(self, step: Step, rotating: Rotating) -> None:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._once(step, rotating)
            except LedgerConflict as conflict:
                self.ports.log.info("the ledger moved meanwhile; deciding again", extra={"conflict": str(conflict)})
        return self._once(step, rotating)

    def _once(self, step: Step, rotating: Rotating) -> None:
        """The step; where it refuses by what an earlier step read, once more by what is read now."""
        leases = self.ports.leases
        leases.begin()
        try:
            return self._step(step, rotating)
        except Refused:
            if not leases.borrowed:
                raise
        leases.drop()
        return self._step(step, rotating)

    def _step(self, step: Step, rotating: Rotating) -> None:
        match step.name:
            case "createSecret":
                create_secret.create(rotating)
            case "setSecret":
                set_secret.set_up(rotating)
            case "testSecret":
                set_secret.test(rotating)
            case "finishSecret":
                finish_secret.finish(rotating)

    def _tell(self, step: Step, workload: Workload, error: Exception) -> None:
        rule, reason = _rule(error), str(error)
        now = self.ports.clock()
        lineage = self.ports.lineages.get(workload.name)
        sentence = reason if isinstance(error, Refused) else f"{workload.name} could not be rotated: {reason}."
        event = rotation_events.failed(workload, lineage, step.token, step.name, rule, sentence, now)
        self.ports.log.warning(event.reason, extra={"step": step.name, "rule": rule, "workload": workload.name})
        self.ports.bus.publish([event])


def _rule(error: Exception) -> str:
    match error:
        case Refused():
            return error.rule
        case ReadForbidden():
            return "management_read_forbidden"
        case AuthenticationFailed():
            return "management_key_refused"
        case WriteForbidden():
            return "management_write_forbidden"
        case Rejected():
            return "openrouter_refused"
        case _:
            return "secret_malformed"

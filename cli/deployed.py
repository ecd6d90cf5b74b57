"""A deployed stack, by its outputs, and the policy in the folder. Reads only."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from cli.output import Failure
from cli.session import STACK_VARIABLE, Session
from governor.approvals.store import Approvals
from governor.ledger.dynamodb import DynamoLedger
from governor.policy import Policy
from tools.policy import PolicyFault, compile_policy

NEEDED = ("EventBusName", "EventBusArn", "LedgerTable", "DecisionsTable")
POLICY = Path("layers/policy/policy.yaml")
PolicyFile = Annotated[
    Path, typer.Option("--policy", metavar="FILE", help="The policy that is deployed, as it is in the folder.")
]


@dataclass(frozen=True)
class Deployed:
    """What the commands need of a stack: the bus's name and ARN, and the two tables.

    `dynamodb`: a client to look through the ledger with, whose name is `table`.
    """

    bus: str
    bus_arn: str
    table: str
    dynamodb: Any
    ledger: DynamoLedger
    approvals: Approvals


def outputs_of(session: Session) -> tuple[str, dict[str, str], dict[str, str]]:
    """Name, parameters and outputs of the stack that `--stack` names. Raises `Failure`, or botocore's errors."""
    name = session.options.stack
    if not name:
        raise Failure("No stack was named", fix=f"Give --stack, or set {STACK_VARIABLE}.")
    try:
        with session.out.progress(f"looking the stack {name} up"):
            (found,) = session.aws("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        fix = "Check --stack, --region and the AWS account (aws sts get-caller-identity)."
        raise Failure(f"There is no stack {name} in this account and region", fix=fix) from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
    missing = [one for one in NEEDED if one not in outputs]
    if missing:
        raise Failure(
            f"The stack {name} has no output {', '.join(missing)}",
            fix="Name Governor's own stack. If it is, deploy this version: an older one lacks them.",
        )
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())}
    return name, parameters, outputs


def deployed(session: Session) -> Deployed:
    """The stack's bus and tables. Raises `Failure`, or botocore's errors."""
    _, _, outputs = outputs_of(session)
    dynamodb = session.aws("dynamodb")
    ledger, decisions = (DynamoLedger(dynamodb, outputs[one]) for one in NEEDED[2:])
    return Deployed(
        bus=outputs["EventBusName"],
        bus_arn=outputs["EventBusArn"],
        table=outputs["LedgerTable"],
        dynamodb=dynamodb,
        ledger=ledger,
        approvals=Approvals(ledger, decisions),
    )


def policy_of(path: Path) -> Policy:
    """The policy in a file. Raises `Failure`, with a line for each fault."""
    try:
        return compile_policy(path)
    except OSError as error:
        fix = "Run the command in the folder of the project, or give --policy."
        raise Failure(f"The policy {path} cannot be read: {error.strerror}", fix=fix) from None
    except PolicyFault as fault:
        raise Failure(f"The policy does not hold:\n{fault}", fix="Fix the lines that are named.") from None

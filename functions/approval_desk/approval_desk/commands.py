"""Commands from the command line: who sends one, by the signature that it holds.

The first rule that applies decides; only the last two write anything:
 1. `bad_proof`   the proof has another shape
 2. `late`        it was signed more than five minutes ago, or in the future
 3. `unproven`    STS refuses the signature: it is not of this command and stack, or its credentials are no more
 4. `unnamed`     it is an AWS identity that the policy's `people` gives to nobody
 5. `proven`      the person whom `people` names
STS is asked once for each command. A later delivery finds the row of the first, and does not ask again.
"""

from collections.abc import Mapping
from typing import Any

from approval_desk.ports import Ports
from governor.aws_identity import WINDOW, Proof, Unproven
from governor.policy import Policy
from governor.slack.requests import SlackRequest


def signer(ports: Ports, proof: Proof, digest: str) -> str:
    """The ARN of whoever signed. Raises `Unproven` (rules 1 to 3) or `StsUnavailable`."""
    age = ports.clock() - proof.time()
    if abs(age) > WINDOW:
        raise Unproven("late", f"signed {int(age.total_seconds())} seconds ago; the sender's clock may be wrong")
    return ports.identities.signer(proof, digest)


def admission(policy: Policy, arn: str) -> Mapping[str, Any]:
    """The row of the interaction, by rules 4 and 5."""
    person = policy.person_of(arn)
    if person is None:
        said = (
            f"Nothing was done: the policy gives the AWS identity {arn} to nobody. Add it under `people`, as `aws` of "
            f"the person's Slack user, and deploy the policy."
        )
        return {"rule": "unnamed", "said": said, "told": True, "arn": arn}
    return {"admitted": "proven", "by": person, "arn": arn}


def asked(id: str, proof: Proof, row: Mapping[str, Any], command: str) -> SlackRequest:
    """The same request that the gateway queues for a typed command, with nothing of Slack's in it."""
    at = int(proof.time().timestamp())
    return SlackRequest(id, at, "command", str(row.get("by", "")), team="", user_team="", text=command)

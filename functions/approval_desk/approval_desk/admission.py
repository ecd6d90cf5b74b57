"""Whether somebody may use Governor from Slack at all, before it is asked who may do what. Pure.

The first rule that applies decides:
 1. `elsewhere`     the request comes from another workspace or organization than the one the app is installed in
 2. `outsider`      the person is of another workspace or organization (Slack Connect), or Slack does not know them
 3. `deactivated`, `bot`, `guest`
 4. `unread`        Slack did not say who the person is: nobody does anything, except rule 5
 5. `named`         Slack did not say, and the person is named in the policy for what they want: to disable a key, or,
                    as an approver, to look. What was known before still holds: 1 to 3 apply to it. The workspace of
                    the person must be that of the request, as Slack signed it
 6. `member`        a full member: `decide` judges the rest
Help is for everybody: it says nothing of the organization.

Rules 1 to 3 are `governor.slack.members`. Why rule 5: docs/decisions, "Slack says who somebody is".
"""

from dataclasses import dataclass

from approval_desk.parsing import Command, Verb
from governor.policy import Policy, Workload
from governor.slack.channel import SlackError, SlackRateLimited, SlackRefused
from governor.slack.identity import Identity
from governor.slack.members import refusal, unknown
from governor.slack.requests import SlackRequest

FREE: frozenset[Verb] = frozenset({"help", "hint"})
LOOKS: frozenset[Verb] = frozenset({"status", "keys"})


@dataclass(frozen=True)
class Admission:
    """`said`: why not, to the person; empty for whoever is admitted."""

    rule: str
    said: str = ""


EVERYBODY = Admission("everybody")


def admit(
    request: SlackRequest, command: Command, identity: Identity, policy: Policy, workload: Workload | None
) -> Admission:
    """By the rules above. `workload`: whose key the command is about, None where no workload declares it."""
    if command.verb in FREE:
        return EVERYBODY
    refused = refusal(request, identity)
    if refused:
        return Admission(refused.rule, refused.said)
    unread = unknown(identity)
    if unread is None:
        return Admission("member")
    proven = bool(request.user_team) and request.user_team == request.team
    if proven and request.user in _named(command, policy, workload):
        return Admission("named")
    return _unread(unread)


def _named(command: Command, policy: Policy, workload: Workload | None) -> tuple[str, ...]:
    if command.verb == "disable":
        return policy.may_disable(workload)
    return policy.approvals.approvers if policy.approvals and command.verb in LOOKS else ()


def _unread(error: SlackError) -> Admission:
    if isinstance(error, SlackRefused):
        why = f"Slack did not tell Governor who you are ({error.error})"
        what = f"{error.remedy} Until then the people whom the policy names can disable keys with `/governor disable`."
    else:
        limited = isinstance(error, SlackRateLimited)
        why = "Slack did not tell Governor who you are" + (": its rate limit is reached" if limited else "")
        what = "Try again in a minute. In an emergency the people whom the policy names can disable a key at once."
    return Admission("unread", f"Nothing was done. {why}. {what}")

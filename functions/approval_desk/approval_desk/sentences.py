"""What a vote's outcome says to the person who cast it, and to nobody else. Pure."""

from governor.approvals.approval import Approval, Voted

REFUSED = {
    "unknown": "There is no such request any more.",
    "void": "That request was withdrawn: what was to be decided has changed.",
    "expired": "That request has expired; it can be asked anew.",
    "changed": "This button is of an older version of the request. Decide on the newest message.",
    "own_request": "You asked for this yourself: somebody else must approve it.",
    "own_version": "You saved this version yourself: somebody else must approve it.",
    "not_an_approver": "You are not among the approvers of this request.",
    "counted_already": "Your approval is counted already; it waits for another.",
    "granted": "This was approved already.",
    "rejected": "This was rejected already.",
    "done": "This was approved, and has been done.",
    "failed": "This was approved, and failed; the channel has the reason.",
}
CLICK_AGAIN = "Slack gives three seconds to ask you why, and they were over. Click Reject again."


def of_vote(voted: Voted) -> str:
    """One sentence."""
    match voted.outcome:
        case "granted":
            return "Approved. It is being done; the channel is told once it is done and verified."
        case "counted":
            return f"Your approval counts.{_missing(voted.approval)}"
        case "rejected":
            return "Rejected; nothing is done."
        case "refused":
            return REFUSED.get(voted.rule, "This cannot be decided any more.")


def _missing(approval: Approval | None) -> str:
    if approval is None:
        return ""
    left = approval.request.needed - len(approval.approved_by)
    return f" {left} more {'is' if left == 1 else 'are'} needed."

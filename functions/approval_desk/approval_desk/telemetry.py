"""What CloudWatch is told of people who were refused: a number, and no name. Nobody is notified of one refusal."""

from aws_lambda_powertools.metrics import Metrics, MetricUnit

REFUSED = frozenset(
    {"elsewhere", "outsider", "deactivated", "bot", "guest", "bad_proof", "late", "unproven", "unnamed"}
)
UNKNOWN = "unread"


def count(rule: str) -> None:
    """Counts a refusal by its rule of `approval_desk.admission` or `approval_desk.commands`; no other rule.

    The namespace is the environment's (`POWERTOOLS_METRICS_NAMESPACE`): the stack's name.
    """
    name = "PeopleRefused" if rule in REFUSED else "PeopleUnknown" if rule == UNKNOWN else ""
    if name:
        metrics = Metrics(service="approval_desk")
        metrics.add_metric(name, MetricUnit.Count, 1)
        metrics.flush_metrics()

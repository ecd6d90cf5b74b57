"""A run's metrics and its one log line. As many for 10,000 keys as for one: CloudWatch bills each metric apart."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import Metrics, MetricUnit

from governor.clock import format_instant
from spend_meter.periods import minute_of

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from spend_meter.broadcast_check import Checked
    from spend_meter.service import Report
    from spend_meter.settings import Tick
    from spend_meter.waking import Woken

SPENDERS_EVERY = 5
"""Runs between two listings of the top spenders: the log's bytes are on the bill."""


class Telemetry:
    """Embedded metrics, and a line for the dashboard's queries. The namespace is the environment's: the stack's name,
    where the alarm and the dashboard look."""

    def __init__(self, logger: "Logger") -> None:
        self._logger = logger
        self._metrics = Metrics(service="spend_meter")

    def tell_woken(self, woken: "Woken") -> dict[str, Any]:
        """One line for a reading between two minutes; it is the invocation's answer, too."""
        facts: dict[str, Any] = {
            "outcome": woken.outcome, "keys_read": woken.keys_read, "events": list(woken.events)
        }  # fmt: skip
        if woken.error:
            facts["error"] = woken.error
        self._logger.info("woken", extra=facts)
        return facts

    def tell_checked(self, checked: "Checked") -> dict[str, Any]:
        """One line for a check of Broadcast; it is the invocation's answer, too. Raises why nothing could be read."""
        facts: dict[str, Any] = {
            "outcome": checked.outcome,
            "workspaces": checked.workspaces,
            "unread": checked.unread,
            "events": list(checked.events),
        }
        self._logger.info("broadcast", extra=facts)
        if checked.failure:
            raise checked.failure
        return facts

    def tell(self, tick: "Tick", report: "Report") -> None:
        """A run that metered nothing tells no metric: missing data is what the alarm listens for."""
        facts = {
            "scheduled_at": format_instant(tick.scheduled_at),
            "outcome": report.outcome,
            "keys_read": report.keys_read,
            "unknown_workspaces": report.unknown_workspaces,
            "api_errors": report.api_errors,
            "shrunk_counters": report.shrunk_counters,
            "clock_back_minutes": report.clock_back_minutes,
            "spend_usd": round(report.spend_usd, 6),
            "events": list(report.events),
        }
        if report.top_spenders and minute_of(tick.scheduled_at) % SPENDERS_EVERY == 0:
            facts["top_spenders"] = [
                {"subject": subject, "usd_hour": round(usd, 6)} for subject, usd in report.top_spenders
            ]
        if report.explained:
            facts["explained_by_policy"] = dict(report.explained)
        if report.allowances_used_up:
            facts["allowances_used_up"] = list(report.allowances_used_up)
        self._logger.info("run", extra=facts)
        if report.outcome != "metered":
            return
        metrics = self._metrics
        if report.oldest_reading_seconds is not None:
            metrics.add_metric("SweepAgeSeconds", MetricUnit.Seconds, report.oldest_reading_seconds)
        metrics.add_metric("SpendUSD", MetricUnit.Count, report.spend_usd)
        metrics.add_metric("KeysRead", MetricUnit.Count, report.keys_read)
        metrics.add_metric("UnknownWorkspaces", MetricUnit.Count, report.unknown_workspaces)
        metrics.add_metric("ApiErrors", MetricUnit.Count, report.api_errors)
        if report.allowances_used_up is not None:
            metrics.add_metric("AllowancesUsedUp", MetricUnit.Count, len(report.allowances_used_up))
        metrics.flush_metrics()

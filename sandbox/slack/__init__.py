"""A Slack workspace on one machine: answers the Web API calls that Governor makes and keeps its channels readable."""

from sandbox.slack.interactions import Sent
from sandbox.slack.simulator import SlackSimulator

__all__ = ["Sent", "SlackSimulator"]

"""A Slack workspace on one machine: answers the Web API calls that Governor makes, and keeps its channels to be read."""

from sandbox.slack.simulator import SlackSimulator

__all__ = ["SlackSimulator"]

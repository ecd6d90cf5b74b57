"""A stand-in for whoever is on call: PagerDuty, Microsoft Teams, and a webhook, as strict as the documents."""

from sandbox.on_call.receiver import Receiver

__all__ = ["Receiver"]

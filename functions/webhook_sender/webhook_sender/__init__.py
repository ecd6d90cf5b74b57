"""Sends every event of Governor's to one receiver, signed by the Standard Webhooks specification."""

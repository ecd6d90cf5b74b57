"""Keeps the app's Home in Slack: what is disabled, in rotation, waiting and over budget; the person's own first."""

"""Tells people what Governor saw and did: Slack, one thread per incident, and mail when Slack cannot be used."""

"""Draws what an incident's money did, and shows it in the incident's thread."""

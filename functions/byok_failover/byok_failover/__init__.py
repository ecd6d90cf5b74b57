"""Proves that BYOK failover works before it is needed, and that credits never leak silently."""

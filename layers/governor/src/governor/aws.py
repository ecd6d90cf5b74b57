"""How functions call AWS."""

from botocore.config import Config

AWS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
"""A call that hangs must leave time for the others: it takes at most 14 seconds, of a function's 30 or more."""
AWS_ONCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
"""For a call that must not be repeated unseen, as a mail: its repeat has to say that it is one."""

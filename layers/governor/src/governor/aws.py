"""How functions call AWS."""

from botocore import __version__ as botocore_version
from botocore.config import Config

LEAST_BOTOCORE = (1, 35, 69)
"""The first whose `PutObject` takes `IfMatch`: without it no reading can be kept. Lambda's runtime brings boto3, which
version depends on the region and on its runtime version."""


def require(version: str) -> None:
    """Raises `ImportError` where the runtime's botocore is older than `LEAST_BOTOCORE`."""
    if tuple(int(part) for part in version.split(".")[:3]) < LEAST_BOTOCORE:
        least = ".".join(map(str, LEAST_BOTOCORE))
        raise ImportError(
            f"The Lambda runtime brings botocore {version}, and Governor needs {least} or newer. Let the function's "
            f"runtime be updated automatically (Lambda, Runtime management configuration: Auto)."
        )


require(botocore_version)

AWS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
"""A call that hangs must leave time for the others: it takes at most 14 seconds, of a function's 30 or more."""
AWS_ONCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
"""For a call that must not be repeated unseen, as a mail: its repeat has to say that it is one."""

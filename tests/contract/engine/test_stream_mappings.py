"""What a mapping of a stream must say, and what its role must be allowed, is found at deployment."""

import pytest

from sandbox.engine import Engine
from sandbox.engine.errors import DeploymentFailed, UnsupportedTemplate
from tests.contract.engine.test_streams import COUNTING, TEMPLATE


def test_a_mapping_that_is_not_understood_or_whose_role_may_not_read_is_refused(lay_out):
    for change, error in (
        ("TRIM_HORIZON", UnsupportedTemplate),
        ("TumblingWindowInSeconds: 60", UnsupportedTemplate),
        ("MaximumRetryAttempts: 1", UnsupportedTemplate),
        ("kinesis:*", DeploymentFailed),
    ):
        other = {"TRIM_HORIZON": "LATEST", "kinesis:*": "kinesis:GetRecords"}.get(change, "Enabled: true")
        folder = lay_out(TEMPLATE.replace(change, other), {"counting/app.py": COUNTING})
        with pytest.raises(error):
            Engine.deploy(folder)

"""How well the runaway detector does: `python -m tests.bench.detector`."""

import sys
from pathlib import Path

# The meter's package is found as the Lambda runtime finds it: with its function's folder as a root.
sys.path.append(str(Path(__file__).parents[3] / "functions" / "spend_meter"))

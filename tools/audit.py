"""Holds every locked package against the advisories that PyPI publishes; fails when one has a known vulnerability.

    python -m tools.audit requirements.txt

What could not be audited is named, with the reason: behind a registry mirror that serves no advisories that is every
package. It is an error only with AUDIT_REQUIRED=1 (set it where the real PyPI is reached).
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def main(requirements: str) -> int:
    """0 when no advisory is known; 1 when one is, or nothing could be asked although it must."""
    command = ["pip-audit", "--progress-spinner", "off", "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run([*command, "-r", requirements], capture_output=True, text=True, check=False)
    if not done.stdout:
        print(done.stderr, file=sys.stderr)
        return 1
    packages = json.loads(done.stdout)["dependencies"]
    return report(packages, is_required=os.environ.get("AUDIT_REQUIRED") == "1")


def report(packages: Sequence[Mapping[str, Any]], *, is_required: bool) -> int:
    """Prints what pip-audit found (`dependencies` of its JSON), and gives the exit status."""
    audited = [package for package in packages if "skip_reason" not in package]
    vulnerable = [package for package in audited if package["vulns"]]
    for package in vulnerable:
        names = ", ".join(advisory["id"] for advisory in package["vulns"])
        print(f"{package['name']} {package['version']}: {names}", file=sys.stderr)
    print(f"dependency audit: {len(audited)} of {len(packages)} packages audited, {len(vulnerable)} vulnerable")
    by_reason: dict[str, list[str]] = {}
    for package in packages:
        if "skip_reason" in package:
            # The reason repeats the package's name and version, which would make each one of its own.
            reason = re.sub(
                rf"\b{re.escape(package['name'])}\b( \(\S+\))?", "it", package["skip_reason"], flags=re.IGNORECASE
            )
            by_reason.setdefault(reason, []).append(package["name"])
    for reason, skipped in by_reason.items():
        print(f"NOT AUDITED ({reason}): {', '.join(sorted(skipped))}")
    return 1 if vulnerable or (by_reason and is_required) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Holds every locked package against the advisories that PyPI publishes; fails when one has a known vulnerability.

    python -m tools.audit requirements.txt

Behind a registry mirror that serves no advisories nothing can be audited: that is said, and is an error only with
AUDIT_REQUIRED=1 (set it where the real PyPI is reached).
"""

import json
import os
import subprocess
import sys


def main(requirements: str) -> int:
    """0 when no advisory is known; 1 when one is, or nothing could be asked although it must."""
    command = ["pip-audit", "--progress-spinner", "off", "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run([*command, "-r", requirements], capture_output=True, text=True, check=False)
    if not done.stdout:
        print(done.stderr, file=sys.stderr)
        return 1
    packages = json.loads(done.stdout)["dependencies"]
    audited = [package for package in packages if "skip_reason" not in package]
    vulnerable = [package for package in audited if package["vulns"]]
    for package in vulnerable:
        names = ", ".join(advisory["id"] for advisory in package["vulns"])
        print(f"{package['name']} {package['version']}: {names}", file=sys.stderr)
    print(f"dependency audit: {len(audited)} of {len(packages)} packages audited, {len(vulnerable)} vulnerable")
    if len(audited) == len(packages):
        return 1 if vulnerable else 0
    print(f"NOT AUDITED: {len(packages) - len(audited)} packages; the registry in use serves no advisories for them")
    return 1 if vulnerable or os.environ.get("AUDIT_REQUIRED") == "1" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

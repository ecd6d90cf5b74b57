"""`python -m tools.policy`: see the package."""

import json
import sys
from pathlib import Path

import tools.policy
from governor.policy import Policy
from tools.policy import PolicyFault, blanks, checked

BY_EVENT = (
    "approvals.by_event is true. Whoever may put events on the bus can write an approver's name in one, and Governor "
    "believes it: restores, approvals, drills and leak reports are then decided without any proof of who decides. Set "
    "it to false once the Slack app is installed."
)


def main(arguments: list[str]) -> int:
    """Runs the command line; 1 when the policy is at fault, 2 when the command is."""
    match arguments:
        case ["build", source, target]:
            try:
                policy, document = checked(Path(source))
            except PolicyFault as fault:
                print(fault, file=sys.stderr)
                return 1
            if policy.believes_events:
                print(f"{source}: {BY_EVENT}", file=sys.stderr)
            for blank in blanks(source, document):
                print(blank, file=sys.stderr)
            package = Path(target) / "governor_policy"
            package.mkdir(parents=True, exist_ok=True)
            (package / "__init__.py").write_text('"""The compiled policy."""\n')
            (package / "policy.json").write_text(policy.model_dump_json(by_alias=True, exclude_none=True))
            return 0
        case ["schema"]:
            print(json.dumps(Policy.model_json_schema(), indent=2))
            return 0
    print(tools.policy.__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

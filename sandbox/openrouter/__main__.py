"""`python -m sandbox.openrouter --port N --management-key K [--seed FILE]`: the simulator until interrupted."""

import argparse
import json
import threading
from pathlib import Path

from sandbox.openrouter.simulator import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.openrouter", description="OpenRouter on one machine.")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument(
        "--management-key", required=True, help="the key to accept, for example sk-or-v1-fake-management"
    )
    parser.add_argument("--seed", type=Path, metavar="FILE", help="JSON: workspaces, keys, guardrails, credits, byok")
    arguments = parser.parse_args()
    document = json.loads(arguments.seed.read_text()) if arguments.seed else {}
    simulator = Simulator(arguments.management_key)
    simulator.declare(document)
    with simulator.serve(arguments.port) as url:
        print(url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()

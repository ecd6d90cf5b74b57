"""`python -m sandbox.slack --port N --token T`: the simulator on its own, until interrupted."""

import argparse
import threading

from sandbox.slack.simulator import SlackSimulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.slack", description="A Slack workspace on one machine.")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--token", required=True, help="the bot token to accept, for example xoxb-fake")
    parser.add_argument("--channel", action="append", default=[], metavar="ID=NAME", help="default C0GOVERNOR=governor")
    parser.add_argument("--rate-limited", action="store_true", help="one message per second and channel, else 429")
    arguments = parser.parse_args()
    channels = dict(channel.split("=", 1) for channel in arguments.channel)
    simulator = SlackSimulator(arguments.token, channels=channels or None, rate_limited=arguments.rate_limited)
    with simulator.serve(arguments.port) as url:
        print(url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()

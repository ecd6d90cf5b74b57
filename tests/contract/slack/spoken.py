"""What Governor says to one person alone: answers to commands and clicks, the modal, and the Home."""

from collections.abc import Iterator
from typing import Any

from approval_desk.modal import why_modal
from approval_desk.parsing import Command
from approval_desk.sentences import CLICK_AGAIN, REFUSED
from sandbox.slack.transcript import texts_of
from tests.unit.approval_desk.desk import ANYBODY, LEAD, OWNER, PRESET, WORKLOAD, ZERO, Desk
from tests.unit.slack_home.homes import World

TYPED = [
    (LEAD, "help"), (LEAD, "status"), (LEAD, "keys"),
    (OWNER, f"disable {WORKLOAD}"), (ANYBODY, f"disable {WORKLOAD}"), (ANYBODY, f"disable {ZERO}"),
    (LEAD, f"restore {WORKLOAD}"), (ANYBODY, f"restore {WORKLOAD}"), (LEAD, f"restore {ZERO}"),
    (OWNER, f"rotate {WORKLOAD}"), (OWNER, "rotate prod-plain-agent"),
    (OWNER, f"expected {WORKLOAD}"), (ANYBODY, f"expected {WORKLOAD}"),
    (OWNER, f"rollback-key {WORKLOAD}"), (ANYBODY, f"rollback-key {WORKLOAD}"),
    (OWNER, "rollback-key prod-plain-agent"),
    (ANYBODY, f"promote {PRESET}"), (ANYBODY, f"rollback {PRESET}"),
    (ANYBODY, "drill production anthropic"), (ANYBODY, "drill production openai"),
    (ANYBODY, "review"),
    (ANYBODY, "preview workspace production"), (LEAD, "rotate workspace production because leaked"),
    (LEAD, "preview workspace staging"), (LEAD, "pause 0123abcd"),
    (LEAD, "restart everything"), (LEAD, "rotat prod-search-agent"), (LEAD, "restore"),
    (LEAD, "rotate prod-serch-agent"),
]  # fmt: skip
"""Who types what after `/governor`. Each is answered by a desk of its own: the workload is disabled for a runaway, and
its key was replaced an hour ago."""


def pages() -> dict[str, str]:
    """The text of each file, by its name."""
    return {
        "answers-to-commands.md": _page("What `/governor` answers", _answers()),
        "answers-to-clicks.md": _page("What a click on Approve or Reject is answered", _votes()),
        "home.md": _page("The Home of a workload's owner", _home()),
    }


def _page(title: str, lines: Iterator[str]) -> str:
    return f"# {title}\n\n" + "\n\n".join(lines) + "\n"


def _answers() -> Iterator[str]:
    for who, text in TYPED:
        desk = Desk()
        desk.disabled("runaway")
        desk.rotated()
        desk.types(who, text)
        yield f"**<@{who}>: /governor {text}**\n\n{desk.said}"


def _votes() -> Iterator[str]:
    for title, who, needed in (("the only approval", LEAD, 1), ("one of two", LEAD, 2), ("no approver", ANYBODY, 1)):
        desk = Desk()
        desk.clicks(who, "approve", **desk.asked(needed=needed, by=OWNER))
        yield f"**Approve, {title}**\n\n{desk.said}"
    for rule, sentence in REFUSED.items():
        yield f"**Refused: `{rule}`**\n\n{sentence}"
    yield f"**Reject, after Slack's three seconds**\n\n{CLICK_AGAIN}"
    desk = Desk()
    value = desk.asked(by=OWNER)
    stored = desk.approvals.get(value["approval"])
    assert stored
    yield _view("Reject, which asks why", why_modal(Command("reject", value["approval"], value), "C0", stored.request))


def _view(title: str, view: dict[str, Any]) -> str:
    return "\n\n".join([f"**{title}**", *texts_of(view["blocks"])])


def _home() -> Iterator[str]:
    world = World()
    world.disabled("prod-search-agent")
    world.disabled("prod-checkout")
    world.asks("request")
    world.turning("prod-checkout")
    world.homes.refresh([world.budget()])
    for user in ("U0SEARCH", "U0LEAD"):
        world.opens(user)
        yield "\n\n".join([f"**<@{user}>**", *world.sees(user)])

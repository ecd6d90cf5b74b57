"""`make play` over HTTP, without a browser: the page's server on the built stack, its tour, orders and numbers."""

import contextlib
import io
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from sandbox.play import tour
from sandbox.play.__main__ import opened
from sandbox.play.organization import SECRETS
from sandbox.scenario.organization import EMBEDDINGS, REPORTS, SEARCH
from sandbox.scenario.world import CHANNEL, MANAGEMENT_KEY, World

SECONDS = 300
"""A bound on a hang."""


class Visitor:
    """Hears the page's stream, and orders as the page does."""

    def __init__(self, address: str, world: World) -> None:
        self.address, self.world = address.rstrip("/"), world
        self.page: dict[str, Any] = {}
        self._heard = threading.Condition()
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()
        self.until(lambda page: "fixed" in page)

    def _listen(self) -> None:
        with (
            contextlib.suppress(httpx.HTTPError),  # the server ends before its streams do
            httpx.stream("GET", f"{self.address}/api/stream", timeout=SECONDS) as answer,
        ):
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    with self._heard:
                        self.page |= json.loads(line.removeprefix("data: "))
                        self._heard.notify_all()

    def until(self, condition: Any) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: condition(self.page), timeout=SECONDS), self.page.get("time")

    def order(self, **order: Any) -> httpx.Response:
        headers = {"Origin": self.address}
        return httpx.post(f"{self.address}/api/do", json=order, headers=headers, timeout=SECONDS)

    def lived(self, **order: Any) -> str:
        """Orders what takes time, waits for its end, and answers what came of it."""
        assert self.order(**order).status_code == 200
        # The order is answered once the story has begun; the page may hear of that later.
        self.order(do="close", user="U0LEAD")
        self.until(lambda page: not page["time"]["doing"] and page["time"]["outcome"])
        return str(self.page["time"]["outcome"])

    def key(self, name: str) -> dict[str, Any]:
        return next(one for one in self.page["keys"] if one["name"] == name)

    def asked(self, path: str) -> Any:
        return self.got(path).json()

    def got(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", timeout=SECONDS)

    def home(self, user: str) -> str:
        """What the person's Home says, as JSON; empty while they have none."""
        return json.dumps(self.page["homes"].get(user, ""), ensure_ascii=False)

    def home_button(self, user: str, text: str) -> dict[str, str]:
        """The order that a click on this button of the person's Home is."""
        elements = [one for block in self.page["homes"][user] for one in block.get("elements", [])]
        (button,) = [one for one in elements if one.get("type") == "button" and one["text"]["text"] == text]
        return {"do": "press", "user": user, "action": button["action_id"], "value": button["value"]}


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder: Path = tmp_path_factory.mktemp("play")
    with socket.create_server(("127.0.0.1", 0)) as listener, opened(folder, listener) as (address, world):
        found = Visitor(address, world)
        yield found
    found.listening.join(SECONDS)


def test_every_step_of_the_tour_comes_true(visitor: Visitor) -> None:
    told = [visitor.lived(do="tour", step=number) for number in range(len(tour.STEPS))]
    for sentence, words in zip(
        told,
        (
            "Slack stayed quiet.", "was disabled 3 minutes after the loop began", "The key is still disabled.",
            "answered 401 before, and 200 now", "answered 401, the new one 200", "nothing is paid with credits",
            "the approved text again, temperature 0.2", "No event was lost",
        ),
        strict=True,
    ):  # fmt: skip
        assert words in sentence
    page = visitor.page
    assert visitor.key(EMBEDDINGS)["causes"] == ["runaway"]
    assert not visitor.key(SEARCH)["disabled"]
    assert visitor.key(REPORTS)["lineage"] == "quarantined"
    (reports,) = page["lineages"]
    assert [key["state"] for key in reports["keys"]] == ["quarantined", "current"]
    orders = next(one for one in page["chains"] if one["workload"] == "prod-orders")
    assert [step["name"] for step in orders["steps"] if step["serves"]] == ["second"]
    assert page["presets"]["approved"] == page["presets"]["places"][1]["versions"][0]["version"] == 3
    assert page["troubles"]["standing"][0]["target"] == "prod-orders/primary"


def test_every_number_is_what_openrouter_slack_and_the_bus_say(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    headers = {"Authorization": f"Bearer {MANAGEMENT_KEY}"}
    told = [
        key
        for workspace in httpx.get(f"{world.base_url}/workspaces", headers=headers).json()["data"]
        for key in httpx.get(
            f"{world.base_url}/keys",
            params={"workspace_id": workspace["id"], "include_disabled": "true"},
            headers=headers,
        ).json()["data"]
    ]
    assert {one["name"]: one["disabled"] for one in page["keys"]} == {one["name"]: one["disabled"] for one in told}
    month = sum(one["usage_monthly"] + one["byok_usage_monthly"] for one in told)
    assert sum(one["month_usd"] for one in page["money"]["lines"]) == pytest.approx(month, abs=0.001)
    assert sum(one["own_usd"] for one in page["keys"]) == pytest.approx(
        sum(one["byok_usage_monthly"] for one in told), abs=0.001
    )
    assert page["money"]["spent_usd"] > 40, "the loops of the tour"
    assert page["money"]["metered_usd"] == pytest.approx(page["money"]["spent_usd"], abs=0.05)
    assert page["money"]["metered_usd"] == pytest.approx(sum(world.metered()), abs=0.0001)
    assert [one["id"] for one in reversed(page["events"])] == [one["detail"]["id"] for one in world.events()]
    assert [one["text"] for one in page["slack"]["threads"]] == [one["text"] for one in world.slack.messages(CHANNEL)]


def test_a_picture_is_shown_in_its_thread_with_slacks_own_bytes(visitor: Visitor) -> None:
    shows = f"Spend of {SEARCH} by the minute"
    ((thread, block),) = [
        (thread, block)
        for thread in visitor.page["slack"]["threads"]
        for reply in thread["replies"]
        for block in reply.get("blocks", [])
        if block["alt_text"].startswith(shows)
    ]
    assert SEARCH in thread["text"]
    shown = visitor.got(f"/api/files/{block['slack_file']['id']}")
    assert shown.headers["content-type"] == "image/png"
    assert shown.content == visitor.world.slack.workspace.files[block["slack_file"]["id"]]["content"]
    with Image.open(io.BytesIO(shown.content)) as drawn:
        assert drawn.size == (block["width"], block["height"])
    assert visitor.got("/api/files/F0NONE").status_code == 404


def test_no_credential_is_on_the_page(visitor: Visitor) -> None:
    page = json.dumps(visitor.page)
    assert "sk-or-v1" not in page
    assert all(json.loads(visitor.world.engine.secret_text(name))["api_key"] not in page for name in SECRETS.values())


def test_behind_an_event_stands_its_row(visitor: Visitor) -> None:
    disabled = next(one for one in visitor.page["events"] if one["type"] == "Key Disabled")
    behind = visitor.asked(f"/api/events/{disabled['id']}")
    assert behind["event"]["detail"]["id"] == disabled["id"]
    assert {"published#kill_switch", f"notice#{disabled['id']}"} <= {row["pk"] for row in behind["rows"]}
    assert any(row["sk"].startswith("cause#") for row in behind["rows"])
    assert visitor.asked("/api/events/none")["error"] == "there is no event of this id"


def test_people_may_do_in_slack_what_governor_lets_them(visitor: Visitor) -> None:
    assert visitor.order(do="command", user="U0GUEST", text="disable prod-orders").status_code == 200
    assert visitor.order(do="command", user="U0INTERN", text=f"restore {EMBEDDINGS}").status_code == 200
    assert visitor.order(do="time", mode="x60").status_code == 200
    asked = f"asks to restore {EMBEDDINGS}"
    visitor.until(lambda page: any(asked in thread["text"] for thread in page["slack"]["threads"]))
    assert visitor.order(do="time", mode="paused").status_code == 200
    own = {one["user"]: one["text"] for one in visitor.page["slack"]["only"]}
    assert "you are a guest" in own["U0GUEST"]
    thread = next(one for one in visitor.page["slack"]["threads"] if asked in one["text"])
    assert visitor.order(do="click", user="U0LEAD", ts=thread["ts"], action="reject").status_code == 200
    visitor.until(lambda page: "U0LEAD" in page["slack"]["modals"])
    assert visitor.order(do="submit", user="U0LEAD", inputs={"reason": "Not tonight."}).status_code == 200
    visitor.until(lambda page: any(one["type"] == "Approval Rejected" for one in page["events"]))
    refusal = visitor.order(do="click", user="U0LEAD", ts=thread["ts"], action="no-such-button")
    assert (refusal.status_code, "no button" in refusal.json()["error"]) == (409, True)


def test_a_home_is_opened_acted_on_and_changes_by_itself(visitor: Visitor) -> None:
    nobody_yet = visitor.order(do="press", user="U0LEAD", action="governor.restore", value="{}")
    assert (nobody_yet.status_code, "no Home" in nobody_yet.json()["error"]) == (409, True)
    for user, said in (("U0LEAD", "is disabled for runaway"), ("U0GUEST", "you are a guest")):
        assert visitor.order(do="home", user=user).status_code == 200
        visitor.until(lambda page, user=user, said=said: said in visitor.home(user))
    opened = visitor.world.engine.logs("SlackHomeFunction")
    assert '"user":"U0LEAD","rule":"shown"' in opened, "by Slack's event, whose signature the gateway took"
    assert EMBEDDINGS in visitor.home("U0LEAD")
    assert EMBEDDINGS not in visitor.home("U0GUEST"), "a guest sees nothing of the organization"
    restore = visitor.home_button("U0LEAD", "Restore key")
    assert visitor.order(**{**restore, "user": "U0GUEST"}).status_code == 409, "whose Home has no such button"
    assert visitor.order(**restore).status_code == 200
    visitor.until(lambda page: not visitor.key(EMBEDDINGS)["disabled"])
    visitor.until(lambda page: f"*{EMBEDDINGS}* is disabled" not in visitor.home("U0LEAD"))
    assert [one["user"] for one in visitor.page["slack"]["direct"]] == ["U0LEAD"], "the answer, to nobody else"
    assert visitor.order(**restore).status_code == 409, "the button is gone"


def test_openrouter_down_and_a_killed_meter_lose_no_dollar(visitor: Visitor) -> None:
    for name in ("openrouter_down", "meter_killed"):
        assert visitor.order(do="trouble", name=name).status_code == 200
        assert visitor.order(do="trouble", name=name).status_code == 409, "it is under way already"
        before = visitor.page["time"]["now"]
        assert visitor.order(do="time", mode="x60").status_code == 200
        visitor.until(lambda page, before=before: page["time"]["now"] > before + 240)
        assert visitor.order(do="time", mode="paused").status_code == 200
        for one in visitor.page["troubles"]["standing"]:
            visitor.order(do="end", id=one["id"])
        now = visitor.page["time"]["now"]
        assert visitor.order(do="time", mode="x60").status_code == 200
        visitor.until(lambda page, now=now: page["time"]["now"] > now + 240)
        assert visitor.order(do="time", mode="paused").status_code == 200
        money = visitor.page["money"]
        assert money["metered_usd"] == pytest.approx(money["spent_usd"], abs=0.05)
    assert visitor.order(do="end", id=999).status_code == 409


def test_at_the_pace_of_real_time_a_minute_takes_a_minute(visitor: Visitor) -> None:
    before = visitor.page["time"]["now"]
    assert visitor.order(do="time", mode="x1").status_code == 200
    visitor.until(lambda page: page["time"]["pace"] == "x1" and page["time"]["now"] > before + 2)
    assert visitor.order(do="time", mode="paused").status_code == 200
    assert visitor.page["time"]["now"] < before + 3600


def test_a_paused_page_does_no_work(visitor: Visitor) -> None:
    visitor.order(do="time", mode="paused")
    visitor.until(lambda page: page["time"]["pace"] == "paused")
    now, runs = visitor.page["time"]["now"], visitor.page["time"]["runs"]
    assert visitor.asked("/api/events/none")
    assert visitor.page["time"]["runs"] == runs
    assert visitor.page["time"]["now"] - now < 5, "only what a person does takes time"

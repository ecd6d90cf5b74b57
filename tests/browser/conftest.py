"""The page of `make play` in a real browser: the machine's own Chromium, headless, driven by Playwright.

The server runs as people run it, in a process of its own. With KEEP_IMAGES set, `docs/images` gets the pictures.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STEP_MS = 240_000
"""For a step of the tour on a machine that is busy; a bound on a hang, not a measure."""


def chromium() -> str:
    """The browser's path. Fails aloud where there is none: a browser test without a browser tests nothing."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.exit(
            "make play-test needs Chromium, and this machine has none. Debian: apt-get install chromium. "
            "Or name one: CHROMIUM=/path/to/chromium make play-test",
            returncode=2,
        )
    return found


@dataclass
class Seen:
    """A page, and what it did that nobody asked for."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def open(self) -> "Seen":
        self.page.goto(self.address)
        self.page.wait_for_selector("body[data-ready]")
        return self

    def at_rest(self) -> None:
        # Not `wait_for_function`: it evaluates text, which the page's policy forbids.
        self.page.locator("body:not(.working) #pace:text-is('paused')").wait_for(timeout=STEP_MS)

    def text(self, part: str) -> str:
        return str(self.page.locator(f"#{part}").inner_text())

    def serious(self) -> list[tuple[str, str, list[str]]]:
        """What axe-core finds serious or critical in the page as it is."""
        return [
            (one["id"], one["help"], [node["html"][:200] for node in one["nodes"]])
            for one in Axe().run(self.page).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def too_wide(self) -> int:
        """Pixels that are cut at the side."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def drawn(self, picture: Locator) -> tuple[int, int]:
        """Width and height in pixels of a picture's own bytes, once they are there."""
        picture.evaluate("one => one.decode()")
        width, height = picture.evaluate("one => [one.naturalWidth, one.naturalHeight]")
        return width, height

    def look(self) -> str:
        """The width and colours of this page, for a picture's name."""
        size = self.page.viewport_size
        dark = self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        return f"{size and size['width']}-{'dark' if dark else 'light'}"

    def do_step(self, number: int) -> str:
        """Goes to the step of the tour, does it, and answers what the page says came of it."""
        tour = self.page.locator("#tour")
        while f"step {number} of" not in tour.inner_text():
            tour.get_by_role("button", name="Next", exact=True).click()
        tour.get_by_role("button", name="Do it", exact=True).click()
        self.page.wait_for_selector("#tour .outcome:not(:empty)", timeout=STEP_MS)
        self.at_rest()
        return str(tour.locator(".outcome").inner_text())

    def keep(self, name: str) -> None:
        """Keeps a picture of what is in view, of few colours, where KEEP_IMAGES is set."""
        shot = self.page.screenshot()
        assert shot.startswith(b"\x89PNG")
        if os.environ.get("KEEP_IMAGES"):
            IMAGES.mkdir(parents=True, exist_ok=True)
            whole = Image.open(io.BytesIO(shot)).convert("RGB")
            small = whole.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            small.save(IMAGES / f"{name}.png", optimize=True)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.play", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        said = [served.stdout.readline(), served.stdout.readline()]
        found = re.search(r"http://127\.0\.0\.1:\d+/", said[-1])
        assert found, f"make play said: {said}"
        try:
            yield found[0]
        finally:
            served.send_signal(signal.SIGTERM)
            assert served.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        # Root, as in a container, has no user namespace for Chromium's own sandbox; the page is ours.
        sandboxed = [] if os.geteuid() else ["--no-sandbox"]
        started = playwright.chromium.launch(executable_path=path, args=sandboxed)
        yield started
        started.close()


@pytest.fixture
def seen(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Seen]:
    """The page, opened; parameters: `width`, `scheme`. Nothing may be on the console, and nothing asked elsewhere."""
    look: dict[str, Any] = getattr(request, "param", {})
    page = browser.new_page(
        viewport={"width": look.get("width", 1280), "height": look.get("height", 900)},
        color_scheme=look.get("scheme", "light"),
        reduced_motion="reduce",
    )
    found = Seen(page, address)
    page.on("console", lambda one: found.complaints.append(f"{one.type}: {one.text}"))
    page.on("pageerror", lambda one: found.complaints.append(str(one)))
    page.on("request", lambda one: found.elsewhere.append(one.url) if not one.url.startswith(address) else None)
    yield found.open()
    page.close()
    assert found.complaints == []
    assert found.elsewhere == []

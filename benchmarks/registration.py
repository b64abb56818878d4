#!/usr/bin/env python
"""How quickly a new merchant registers a product of four photos, in Chromium, with the shipped models.

A private site with web process and worker. A person who was just let in starts on the first page, chooses photos, types
a name, waits for the proposals, confirms those that are unsure and publishes all: on a desk and on a phone, in Korean
and in English. How long people take for each step is the keystroke-level model's (Card, Moran and Newell, 1980): before
each click they think and point, in the system's dialog they point at the first photo, the last one and the button.
Prints clicks and seconds from the first page to the published product, and how long of it the person waited for the
site. Exits with 1 if a walk takes 30 s or more, or over six clicks.

    python benchmarks/registration.py
    python benchmarks/registration.py --screenshots var/registration
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.portal import FLAGS
from benchmarks.processes import Site
from benchmarks.sides import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

MOST_CLICKS, MOST_SECONDS = 6, 30.0
THINKING, POINTING, PRESSING, KEY, HOMING = 1.35, 1.1, 0.2, 0.28, 0.4
"""Seconds of the model's operators; typing is that of somebody who does not type for a living, homing the hand's way
between mouse and keyboard."""
CLICK = THINKING + POINTING + PRESSING
FILE_DIALOG = THINKING + 3 * (POINTING + PRESSING)
SCREENS: dict[str, dict[str, Any]] = {
    "1280 px": {"viewport": {"width": 1280, "height": 800}},
    "390 px": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
LANGUAGES = {"ko": "청재킷", "en": "Denim jacket"}  # with the name that is typed
PHOTOS = ("jacket-denim-blue.jpg", "jacket-denim-dark.jpg", "jacket-leather-red.jpg", "jacket-tailored-ivory.jpg")


@dataclass
class Walk:
    """One person's way from the first page to a published product."""

    page: Page
    screenshots: Path | None
    clicks: int = 0
    waited: float = 0.0

    def see(self, target: Locator) -> None:
        """Wait for something to be there."""
        started = time.perf_counter()
        target.wait_for(state="visible")
        self.waited += time.perf_counter() - started

    def click(self, target: Locator) -> None:
        """Wait for something to be there, think, point at it and press."""
        self.see(target)
        if self.screenshots is not None:
            self.page.screenshot(path=self.screenshots.with_name(f"{self.screenshots.name}-{self.clicks}.png"))
        time.sleep(CLICK)
        target.click()
        self.clicks += 1


def _register(walk: Walk, name: str) -> None:
    page = walk.page
    page.goto("/")
    with page.expect_file_chooser() as chooser:
        walk.click(page.locator("label.choose-files"))
    time.sleep(FILE_DIALOG)
    chooser.value.set_files([ROOT / "demo" / "images" / photo for photo in PHOTOS])
    walk.click(page.locator("#name"))
    time.sleep(HOMING)
    page.keyboard.type(name, delay=KEY * 1000)
    time.sleep(HOMING)
    walk.click(page.locator("[data-open]"))
    publish = page.locator("#publish[value=publish]")
    walk.see(publish)
    for doubt in page.locator("label.look:visible").all():
        walk.click(doubt)
    walk.click(publish)
    walk.see(page.locator("[data-status=published]").first)
    if walk.screenshots is not None:
        page.screenshot(path=walk.screenshots.with_name(f"{walk.screenshots.name}-end.png"))


def _walk(browser: Browser, site: Site, screen: str, language: str, options: argparse.Namespace) -> tuple[Walk, float]:
    url = f"http://127.0.0.1:{site.environment['PORT']}"
    context = browser.new_context(base_url=url, locale=language, **SCREENS[screen])
    cookies = {"sessionid": site.access["session"], "django_language": language}
    context.add_cookies([{"name": key, "value": value, "url": url} for key, value in cookies.items()])
    shots = options.screenshots / f"{screen.split()[0]}-{language}" if options.screenshots else None
    walk = Walk(context.new_page(), shots)
    started = time.perf_counter()
    _register(walk, LANGUAGES[language])
    seconds = time.perf_counter() - started
    context.close()
    return walk, seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", type=Path, help="a folder for what the person sees before each click")
    options = parser.parse_args()
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)

    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    held = True
    print("| screen | language | clicks | seconds | of these waiting for the site |\n|---|---|---:|---:|---:|")
    for screen in SCREENS:
        for language in LANGUAGES:
            with tempfile.TemporaryDirectory(prefix="otjang-registration-") as folder, sync_playwright() as playwright:
                site = Site(folder)  # each is somebody's first product
                browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
                with site.process("-m", "config.server"), site.process("manage.py", "worker"):
                    site.wait()
                    walk, seconds = _walk(browser, site, screen, language, options)
                browser.close()
            held &= walk.clicks <= MOST_CLICKS and seconds < MOST_SECONDS
            print(f"| {screen} | {language} | {walk.clicks} | {seconds:.1f} | {walk.waited:.1f} |", flush=True)
    print("held" if held else f"NOT held: at most {MOST_CLICKS} clicks, below {MOST_SECONDS:.0f} s")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

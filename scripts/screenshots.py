"""Images of the running site, for the README and for looking at a change.

    .venv/bin/python scripts/screenshots.py http://localhost:8000 demo@example.com PASSWORD [--out DIR] [--product ID]

Takes log-in, list, new product and one product's page in Korean and English, 1280 and 390 pixels wide. Says which
pages are wider than their window and what the browser's console complained of; exits with 1 if there was anything.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {1280: 900, 390: 844}
LANGUAGES = ("ko", "en")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


def _log_in(page: Page, site: str, email: str, password: str) -> None:
    page.goto(f"{site}/login")
    page.locator("[name=username]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("main button").click()
    page.wait_for_url(f"{site}/")


def _newest_product(page: Page, site: str) -> str:
    """Return the public id of the first product of the list; '' if there is none."""
    page.goto(f"{site}/")
    link = page.locator(".products .name").first
    return (link.get_attribute("href") or "").rsplit("/", 1)[-1] if link.count() else ""


def _shoot(page: Page, url: str, file: Path) -> list[str]:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file, full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"{file.name}: {wider} px wider than the window"] if wider > 0 else []


def _take_one_language(browser: Browser, language: str, options: argparse.Namespace) -> list[str]:
    context = browser.new_context(locale=language)
    context.add_cookies([{"name": "django_language", "value": language, "url": options.site}])
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        context.clear_cookies(name="sessionid")
        problems += _shoot(page, f"{options.site}/login", options.out / f"login-{width}-{language}.png")
        _log_in(page, options.site, options.email, options.password)
        product = options.product or _newest_product(page, options.site)
        paths = {"products": "/", "new": "/products/new/"} | ({"product": f"/products/{product}"} if product else {})
        for name, path in paths.items():
            problems += _shoot(page, options.site + path, options.out / f"{name}-{width}-{language}.png")
    context.close()
    return problems


def main() -> int:
    """Read the arguments, take the images; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=lambda url: re.sub("/+$", "", url))
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("--out", type=Path, default=Path("var/screenshots"))
    parser.add_argument("--product", default="", help="public id; the newest one by default")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        executable = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        problems = [one for language in LANGUAGES for one in _take_one_language(browser, language, options)]
        browser.close()
    print(*(sorted(set(problems)) or [f"images are in {options.out}"]), sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

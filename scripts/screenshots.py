"""Images of the running site, for the README and for looking at a change: every page in every state.

    .venv/bin/python scripts/screenshots.py http://localhost:8000 demo@example.com PASSWORD [--out DIR] [--only NAME]

Each in Korean and English, 1280 and 390 pixels wide, in light and in dark, to DIR/LANGUAGE-THEME-WIDTH/NAME.png; by
default in var/screenshots, which Git ignores. Nothing is changed on the site. Says which pages are wider than their
window, which states no product of the merchant is in, and what the browser's console complained of; exits with 1 if a
page was too wide or complained.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

WIDTHS = {1280: 900, 390: 844}
LANGUAGES = ("ko", "en")
THEMES = ("light", "dark")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
PHOTOS = sorted((Path(__file__).resolve().parent.parent / "demo/images").rglob("*.jpg"))[:3]

# A state of a product and the list's filter that finds one.
PRODUCTS = {
    "product-draft": "status=draft",
    "product-to-review": "status=to_review&source=model",
    "product-published": "status=published",
    "product-archived": "status=archived",
    "product-failed": "failed=1",
    "product-several-garments": "several=1",
    "product-nothing-found": "nothing=1",
}


def _open_account(page: Page) -> None:
    page.locator(".account .menu > summary").click()


def _choose_rows(page: Page) -> None:
    rows = page.locator("main tbody input[type=checkbox], main li input[type=checkbox]")
    for index in range(min(3, rows.count())):
        rows.nth(index).check(force=True)


def _choose_photos(page: Page) -> None:
    page.locator("input[type=file]").first.set_input_files([str(photo) for photo in PHOTOS])
    page.wait_for_timeout(800)  # previews


def _press_help(page: Page) -> None:
    page.keyboard.press("?")
    page.wait_for_timeout(300)


@dataclass(frozen=True)
class Shot:
    """One image: a page, and what is done on it before."""

    path: str
    act: Callable[[Page], None] | None = None


SHOTS = {
    "home": Shot("/"),
    "account-menu": Shot("/", _open_account),
    "products": Shot("/products/"),
    "products-grid": Shot("/products/?as=grid"),
    "products-chosen": Shot("/products/", _choose_rows),
    "products-doubtful": Shot("/products/?status=to_review&sort=doubt"),
    "products-none": Shot("/products/?q=nowhere-to-be-found"),
    "new-product": Shot("/products/new/"),
    "review": Shot("/review/"),
    "review-keys": Shot("/review/", _press_help),
    "password": Shot("/password"),
    "not-found": Shot("/nowhere"),
}
# Uploading makes a draft, which the site drops after a day on its own.
WITH_UPLOADS = {"new-product-photos": Shot("/products/new/", _choose_photos)}


def _log_in(page: Page, site: str, email: str, password: str) -> None:
    page.goto(f"{site}/login")
    page.locator("[name=username]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("main button").click()
    page.wait_for_url(lambda url: not url.startswith(f"{site}/login"))


def _found(page: Page, site: str) -> tuple[dict[str, Shot], list[str]]:
    """Return a shot for each state that a product of the merchant is in, and the states that none is in."""
    shots, missing = {}, []
    for name, query in PRODUCTS.items():
        page.goto(f"{site}/products/?{query}")
        links = page.locator("main a[href^='/products/']").evaluate_all(
            "all => all.map((one) => one.getAttribute('href'))"
        )
        path = next((link for link in links if re.fullmatch(r"/products/[a-z0-9]{16,}", link)), None)
        if path is None:
            missing.append(name)
        else:
            shots[name] = Shot(path)
    page.goto(f"{site}/password")
    settings = page.locator("a[href^='/merchants/']").first
    if settings.count():
        shots["merchant-settings"] = Shot(settings.get_attribute("href") or "")
    return shots, missing


def _shoot(page: Page, site: str, shot: Shot, file: Path) -> list[str]:
    page.goto(site + shot.path)
    page.wait_for_load_state("networkidle")
    if shot.act:
        shot.act(page)
    page.screenshot(path=file, full_page=shot.act is None)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{file.parent.name}/{file.name}: {wider} px wider than the window"] if wider > 0 else []


def _prepared(browser: Browser, site: str, language: str, theme: str) -> BrowserContext:
    context = browser.new_context(locale=language, reduced_motion="reduce")
    cookies = {"django_language": language, "theme": theme}
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
    return context


def _take(browser: Browser, language: str, theme: str, options: argparse.Namespace) -> list[str]:
    context = _prepared(browser, options.site, language, theme)
    page = context.new_page()
    problems: list[str] = []
    page.on(
        "console", lambda message: problems.append(f"{page.url}: {message.text}") if message.type == "error" else None
    )
    folders = {width: options.out / f"{language}-{theme}-{width}" for width in WIDTHS}
    for width, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        if not options.only or options.only in "login":
            problems += _shoot(page, options.site, Shot("/login"), folder / "login.png")
    _log_in(page, options.site, options.email, options.password)
    products, missing = _found(page, options.site)
    if missing:
        print("no product is in the state of", ", ".join(missing))
    uploads = WITH_UPLOADS if options.uploads else {}
    shots = {name: shot for name, shot in (SHOTS | uploads | products).items() if options.only in name}
    for width, folder in folders.items():
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        for name, shot in shots.items():
            problems += _shoot(page, options.site, shot, folder / f"{name}.png")
    context.close()
    return [problem for problem in problems if "/nowhere" not in problem]  # a browser complains of each 404


def main() -> int:
    """Read the arguments, take the images; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=lambda url: re.sub("/+$", "", url))
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("--out", type=Path, default=Path("var/screenshots"))
    parser.add_argument("--only", default="", help="a part of the names of those to take")
    parser.add_argument("--uploads", action="store_true", help="upload photos on the new product's page, too")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        executable = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        problems = [
            one for language in LANGUAGES for theme in THEMES for one in _take(browser, language, theme, options)
        ]
        browser.close()
    print(*(sorted(set(problems)) or [f"images are in {options.out}"]), sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

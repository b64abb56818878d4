"""A real browser against a live server."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session", autouse=True)
def _database_first(django_db_setup):
    """Make the database before the server, which would share one connection among its threads if it were in memory."""


@pytest.fixture(scope="session")
def browser():
    """One browser for the session: starting it takes longer than most tests."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("no Chromium on this machine; `make test` installs it")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, in which Django would otherwise refuse to ask the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, live_server, request):
    """A page in a fresh profile; what its console complains of fails the test."""
    fail = request.node.get_closest_marker("failing_requests") is not None
    complaints = []
    context = browser.new_context(base_url=live_server.url, locale="en")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [said for said in complaints if not (fail and said.startswith("Failed to load resource"))] == []


@pytest.fixture
def page_of(page, live_server, client_of):
    """Return the page for a person who is logged in already and reads English."""

    def visit(user):
        cookies = {"django_language": "en", "sessionid": client_of(user).cookies["sessionid"].value}
        page.context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url} for name, value in cookies.items()]
        )
        return page

    return visit

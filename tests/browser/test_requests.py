"""What a page sends: once, readable when it fails, and not lost when the person or the connection is away."""

import pytest
from playwright.sync_api import expect

from accounts.models import AuditEvent
from catalog.models import Product
from tests.support.factories import MembershipFactory, MerchantFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.failing_requests]

SEND = """async ([url, body]) => {
    const { send } = await import("/static/js/requests.js");
    try {
        const answer = await send(url, { body });
        return { status: answer.status };
    } catch (failed) {
        window.failed = failed;
        return { kind: failed.kind, text: failed.message, retriable: failed.retriable };
    }
}"""


class Sender:
    """A page whose script renames a product."""

    def __init__(self, page, product):
        self.page = page
        self.address = f"/products/{product.public_id}/details"

    def start(self, name):
        """Send without waiting; `finished` gives what became of it."""
        self.page.evaluate(
            f"(given) => {{ window.sent = ({SEND})(given); }}", [self.address, {"name": name, "sku": "AJ-1"}]
        )

    def finished(self):
        return self.page.evaluate("() => window.sent")

    def send(self, name):
        self.start(name)
        return self.finished()

    def log_out(self):
        self.page.context.clear_cookies(name="sessionid")

    def log_in(self, password="correct horse battery", email=None):
        dialog = self.page.get_by_role("dialog", name="Log in again")
        if email:
            dialog.get_by_label("E-mail").fill(email)
        dialog.get_by_label("Password").fill(password)
        dialog.get_by_role("button", name="Log in and go on").click()
        return dialog


@pytest.fixture
def sender(page_of, alice, product):
    page = page_of(alice)
    page.goto("/products/new/")
    return Sender(page, product)


def test_the_same_is_sent_once(sender, product):
    url, body = sender.address, {"name": "Twice", "sku": "AJ-1"}
    answers = sender.page.evaluate(
        f"async (given) => {{ const send = {SEND}; return Promise.all([send(given), send(given)]); }}", [url, body]
    )

    assert [answer["status"] for answer in answers] == [200, 200]
    assert AuditEvent.objects.filter(action="product.update").count() == 1


def test_the_last_word_arrives_last(sender, product):
    held = []
    sender.page.route("**/details", lambda route: held.append(route))
    sender.start("First")
    sender.page.evaluate(
        f"([url, body]) => {{ window.second = ({SEND})([url, body]); }}",
        [sender.address, {"name": "Second", "sku": "AJ-1"}],
    )
    sender.page.wait_for_function("() => Boolean(window.second)")
    assert len(held) == 1
    held[0].continue_()
    sender.page.unroute("**/details")
    sender.page.evaluate("() => window.second")

    product.refresh_from_db()
    assert product.name == "Second"


def test_offline_is_said_as_such_and_it_can_be_sent_again(sender, product):
    sender.page.context.set_offline(True)
    failed = sender.send("Later")

    assert (failed["kind"], failed["retriable"]) == ("offline", True)
    assert failed["text"].startswith("You are offline")
    expect(sender.page.locator("#connection")).to_contain_text("You are offline")
    sender.page.context.set_offline(False)
    expect(sender.page.locator("#connection")).to_be_empty()
    assert sender.page.evaluate("() => window.failed.retry()")["status"] == 200
    product.refresh_from_db()
    assert product.name == "Later"


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ({"status": 500, "body": "<h1>Oops</h1>"}, "server", "Something broke on our side"),
        ({"status": 503, "json": {"message": "The database is away."}}, "server", "The database is away."),
        ({"status": 200, "body": "<h1>Hotel wifi</h1>"}, "unreadable", "The answer could not be read"),
        ({"status": 413, "body": "<h1>nginx</h1>"}, "too_large", "It is larger than the server takes."),
        ({"status": 409, "json": {"code": "stale", "message": "Changed."}}, "conflict", "Changed."),
        ({"status": 404, "body": "gone"}, "gone", "It is no longer there."),
    ],
)
def test_each_failure_has_its_sentence(sender, answer, kind, text):
    sender.page.route("**/details", lambda route: route.fulfill(**answer))

    failed = sender.send("Never")

    assert failed["kind"] == kind
    assert failed["text"].startswith(text)


def test_what_takes_too_long_is_given_up(sender):
    sender.page.route("**/details", lambda route: None)

    failed = sender.page.evaluate(
        """async (url) => {
            const { send } = await import("/static/js/requests.js");
            return send(url, { body: { name: "x" }, seconds: 0.2 }).catch((failed) => failed.kind);
        }""",
        sender.address,
    )

    assert failed == "timeout"


def test_logged_out_one_logs_in_and_it_is_sent(sender, product):
    sender.log_out()
    sender.start("After all")
    dialog = sender.log_in(password="wrong")
    expect(dialog.locator(".refusal")).to_contain_text("No account has this e-mail and password.")
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"

    sender.log_in()

    assert sender.finished() == {"status": 200}
    product.refresh_from_db()
    assert product.name == "After all"


def test_who_does_not_log_in_loses_nothing_either(sender, product):
    sender.log_out()
    sender.start("Perhaps")
    sender.page.get_by_role("button", name="Not now").click()

    failed = sender.finished()

    assert (failed["kind"], failed["retriable"]) == ("log_in", True)
    sender.page.evaluate("() => { window.sent = window.failed.retry().then((answer) => ({ status: answer.status })); }")
    sender.log_in()
    assert sender.finished() == {"status": 200}


def test_somebody_else_who_logs_in_sends_nothing(sender, product, bob):
    sender.log_out()
    sender.start("As bob")
    sender.log_in(email=bob.email)

    failed = sender.finished()

    assert failed["kind"] == "other_person"
    assert failed["text"].startswith("Somebody else is logged in now")
    assert sender.send("Again")["kind"] == "other_person"
    assert Product.objects.get().name == "Oversized denim jacket"


def test_a_page_of_another_shop_sends_nothing(sender, client_of, alice, product):
    other = MerchantFactory(name="Another shop")
    MembershipFactory(user=alice, merchant=other)
    page = sender.page
    session = next(one["value"] for one in page.context.cookies() if one["name"] == "sessionid")
    client = client_of(alice)
    client.cookies["sessionid"] = session
    client.post("/merchant", {"merchant": other.public_id})

    failed = sender.send("In the wrong shop")

    assert failed["kind"] == "other_merchant"
    assert "You now work in Another shop" in failed["text"]


def test_the_person_goes_on_in_the_shop_of_the_page(sender, client_of, alice, merchant, product):
    MembershipFactory(user=alice, merchant=MerchantFactory(name="A first shop"))  # where one begins otherwise
    sender.log_out()
    sender.start("Here")
    sender.log_in()

    assert sender.finished() == {"status": 200}


def test_a_plain_form_waits_for_the_person_to_log_in(sender, page_of, merchant):
    page = sender.page
    page.goto(f"/merchants/{merchant.public_id}/settings")
    sender.log_out()
    page.get_by_label("Name").first.fill("Till")

    page.get_by_role("button", name="Make a key").click()
    sender.log_in()

    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("Till")
    assert merchant.api_keys.get().name == "Till"


def test_a_plain_form_stays_while_offline(sender, merchant):
    page = sender.page
    page.goto(f"/merchants/{merchant.public_id}/settings")
    page.get_by_label("Name").first.fill("Till")
    page.context.set_offline(True)
    page.get_by_role("button", name="Make a key").click()

    expect(page.locator(".failure")).to_contain_text("You are offline")
    expect(page.get_by_label("Name").first).to_have_value("Till")
    page.context.set_offline(False)
    page.locator(".failure").get_by_role("button", name="Try again").click()
    expect(page.locator(".failure")).to_have_count(0)
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("Till")
    assert merchant.api_keys.count() == 1

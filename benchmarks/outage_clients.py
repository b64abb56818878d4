"""Clients of the outage proof: services with a key and people with a browser, who try again as careful ones do."""

from __future__ import annotations

import random
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import quote, urlencode

from benchmarks.outage_book import Book, Photo, Sent, Told
from benchmarks.outage_http import Answer, Observed, Wire, form

GIVE_UP_SECONDS = 240  # of one upload with all its retries
MOST_WAITING = 40  # images in the queue: then clients pause, so that none is queued as bulk, behind all others
FORMS = {"Accept": "application/json"}
PRODUCTS = "/api/v1/products"


class GaveUp(Exception):
    """The site did not answer however often it was asked."""


@dataclass(frozen=True)
class Access:
    """What lets clients in."""

    key: str
    email: str
    password: str


class Client(threading.Thread, ABC):
    """Sends one thing after the other until it is told to end. What it has begun it brings to its end."""

    def __init__(self, number: int, wire: Wire, book: Book, access: Access) -> None:
        super().__init__(name=f"{type(self).__name__}-{number}", daemon=True)
        self.wire, self.book, self.access = wire, book, access
        self.chance = random.Random(f"{book.seed} {self.name}")
        self.error: Exception | None = None
        self.gave_up = 0
        self._stop_asked = threading.Event()
        self._skus = 0

    @property
    def observed(self) -> Observed:
        """Where answers are counted."""
        return self.wire.observed

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop_asked.set()

    def run(self) -> None:
        """Work until `stop`."""
        try:
            self.prepare()
            while not self._stop_asked.is_set():
                if self.book.waiting < MOST_WAITING:
                    try:
                        self.act()
                    except GaveUp:
                        self.gave_up += 1
                self._stop_asked.wait(self.chance.uniform(0.3, 1.0))
        except Exception as error:  # the proof fails with it
            self.error = error
            raise

    def prepare(self) -> None:
        """Do what comes before the first upload."""

    @abstractmethod
    def act(self) -> None:
        """Do one thing, with its retries."""

    def new_sku(self) -> str:
        """Return an SKU that no client has used."""
        self._skus += 1
        return f"{self.name}-{self._skus:04}"

    def is_meant(self, answer: Answer) -> bool:
        """Whether the site says something about the request, and not that it should be sent again."""
        return answer.status < 500 and answer.status != 429

    def insist(self, ask: Callable[[], Answer], sent: Sent | None = None) -> Answer:
        """Ask until the site answers something that it means. Raises GaveUp."""
        until = time.monotonic() + GIVE_UP_SECONDS
        pause = 0.5
        while time.monotonic() < until:
            if sent is not None:
                sent.attempts += 1
            try:
                answer = ask()
            except (OSError, HTTPException):
                wait, pause = pause, min(2 * pause, 5)
            else:
                if self.is_meant(answer):
                    return answer
                wait = float(answer.headers.get("retry-after", 5))
            if sent is not None:
                sent.lost += 1
            time.sleep(wait * self.chance.uniform(0.8, 1.2))
        raise GaveUp


class ApiClient(Client):
    """A service: creates products with their images in one request, and adds images to them."""

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.access.key}", "Accept-Language": "en"}

    def act(self) -> None:
        """Create a product, or add images to one; now and then with a file that is none, or an SKU that is taken."""
        products = [sent for sent in self.book.known_products("api") if sent.sku.startswith(self.name)]
        what = self.chance.random()
        if products and what < 0.3:
            self.add(self.chance.choice(products))
        elif products and what < 0.36:
            self.create(self.chance.choice(products).sku, taken=True)
        else:
            self.create(self.new_sku())

    def take(self, most: int) -> list[Photo]:
        """Return new photos, now and then a file that is none among them."""
        return self.book.photos.take(self.chance.randint(1, most), bad=int(self.chance.random() < 0.12))

    def create(self, sku: str, *, taken: bool = False) -> None:
        """Create a product of one to four images; `taken` says that its SKU is another product's."""
        self.deliver(self.book.note(Sent("api", self.take(4), creates=True, sku=sku)), PRODUCTS, taken=taken)

    def add(self, product: Sent) -> None:
        """Add one or two images to a product."""
        sent = Sent("api", self.take(2), creates=False, product=product.product)
        self.deliver(self.book.note(sent), f"{PRODUCTS}/{product.product}/images")

    def body_of(self, sent: Sent) -> tuple[bytes, dict[str, str]]:
        """Encode what is sent; returns the body and the request's headers."""
        texts = [("sku", "", sent.sku.encode()), ("name", "", sent.sku.encode())] if sent.creates else []
        body, content_type = form([*texts, *(("images", photo.name, photo.data) for photo in sent.photos)])
        return body, self.headers | {"Content-Type": content_type}

    def deliver(self, sent: Sent, path: str, *, taken: bool = False) -> None:
        """Send it until the site has said what became of it."""
        body, headers = self.body_of(sent)
        try:
            answer = self.insist(lambda: self.wire.ask("POST", path, body, headers), sent)
            code = answer.data.get("code")
            if code == "sku_taken" and taken:
                sent.tell(Told.REFUSED)
            elif code == "sku_taken" and sent.lost:
                self.look_up(sent)
            elif code == "sku_taken":
                self.observed.fault("SKUs of uploads that broke off still taken", f"{sent.sku}: {answer.data}")
                sent.tell(Told.REFUSED)
            elif len(entries := answer.data.get("uploads", ())) == len(sent.photos):
                sent.product = sent.product or answer.data.get("id", "")
                self._read(sent, entries)
            else:
                self.observed.fault("answers that no client expects", f"{path}: {answer.status} {answer.data}")
        except GaveUp:
            for photo in sent.photos:
                sent.told.setdefault(photo.sha256, Told.UNKNOWN)
            raise

    def _read(self, sent: Sent, entries: list[dict[str, dict[str, str] | None]]) -> None:
        doubtful = []
        for photo, entry in zip(sent.photos, entries, strict=True):
            code = (entry["error"] or {}).get("code")
            if code == "duplicate" and sent.lost:
                doubtful.append(photo)
            else:
                sent.tell(Told.STORED if entry["image"] else Told.REFUSED, photo)
            if photo.is_good and code is not None and photo not in doubtful:
                self.observed.fault("good images refused", f"{photo.name}: {entry}")
        if doubtful:
            self.look_up(sent, *doubtful)

    def look_up(self, sent: Sent, *photos: Photo) -> None:
        """After a lost answer the site says that all is there already: see whether it is, and whole."""
        if sent.creates:
            listed = self.insist(lambda: self.wire.ask("GET", f"{PRODUCTS}?sku={quote(sent.sku)}", b"", self.headers))
            sent.product = next((row["id"] for row in listed.data.get("results", ())), "")
        found = self.insist(lambda: self.wire.ask("GET", f"{PRODUCTS}/{sent.product}", b"", self.headers)).data
        names = {image["name"] for image in found.get("images", ())}
        for photo in photos or sent.photos:
            if photo.name in names:
                sent.tell(Told.STORED, photo)
            elif photo.is_good:
                self.observed.fault("uploads said to be there that are not whole", f"{sent.sku} {photo.name}")
            else:
                sent.tell(Told.REFUSED, photo)


class Cutter(ApiClient):
    """A service on a bad line: its connections end in the middle of a body, by FIN and RST in turn.

    Of each two uploads that it cut one is sent again, which must succeed as if nothing had been; the other is not.
    """

    def __init__(self, number: int, wire: Wire, book: Book, access: Access, cuts: int) -> None:
        super().__init__(number, wire, book, access)
        self.cuts = cuts

    def act(self) -> None:
        """Cut one upload."""
        done = len(self.book.cuts)
        if done >= self.cuts:
            self.stop()
            return
        products = self.book.known_products("api")
        photos = self.book.photos.take(self.chance.randint(2, 4))
        if done % 5 == 4 and products:
            sent = Sent("api", photos, creates=False, product=self.chance.choice(products).product)
        else:
            sent = Sent("api", photos, creates=True, sku=self.new_sku())
        sent.tell(Told.CUT)
        path = PRODUCTS if sent.creates else f"{PRODUCTS}/{sent.product}/images"
        body, headers = self.body_of(sent)
        at = self.chance.choice([len(body) - 1, len(body) - 30, self.chance.randrange(1, len(body))])
        reset = bool(done % 2)
        self.book.note(sent)
        try:
            status = self.wire.cut(path, body, headers, at, reset=reset)
        except OSError:  # the site was down, or went down meanwhile
            return
        self.book.note_cut("RST" if reset else "FIN")
        if status is not None and status < 400:
            self.observed.fault("broken off uploads that were accepted", f"{sent.sku}: {status}")
        if done % 4 < 2:
            sent.told.clear()
            self.deliver(sent, path)


class Portal(Client):
    """A person with a browser: logs in, and uploads by the form's script, one request an image."""

    def prepare(self) -> None:
        """Log in."""
        self.cookies: dict[str, str] = {}
        self.insist(lambda: self.send("GET", "/login"))
        fields = {"username": self.access.email, "password": self.access.password}
        answer = self.insist(
            lambda: self.send(
                "POST",
                "/login",
                urlencode(fields | {"csrfmiddlewaretoken": self.cookies["csrftoken"]}).encode(),
                {"Content-Type": "application/x-www-form-urlencoded"},
            )
        )
        if answer.status != 302:
            raise RuntimeError(f"could not log in: {answer.status}")
        page = self.insist(lambda: self.send("GET", "/products/new/")).body.decode()
        found = re.search(r'data-register="([^"]+)"', page)
        if found is None:
            raise RuntimeError("the page for new products has no form")
        self.address = found[1]

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request with the browser's cookies, and keep those that come back."""
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        answer = self.wire.ask(method, path, body, {**cookie, **(headers or {})})
        self.cookies |= answer.cookies
        return answer

    def script(self, path: str, *parts: tuple[str, str, bytes]) -> Answer:
        """Send a form as the page's script does."""
        body, content_type = form([("csrfmiddlewaretoken", "", self.cookies["csrftoken"].encode()), *parts])
        return self.send("POST", path, body, FORMS | {"Content-Type": content_type})

    def act(self) -> None:
        """Create a product of the first photo, give it a name and SKU, and add the other photos one by one."""
        sku = self.new_sku()
        product = self.create(self.book.photos.take(1)[0])
        if product is None:
            return
        texts = (("name", "", sku.encode()), ("sku", "", sku.encode()))
        saved = self.insist(lambda: self.script(f"/products/{product}/details", *texts))
        if saved.status != 200:
            self.observed.fault("answers that no client expects", f"details: {saved.status} {saved.data}")
        bad = int(self.chance.random() < 0.2)
        for photo in self.book.photos.take(self.chance.randint(0, 3), bad=bad):
            sent = self.book.note(Sent("portal", [photo], creates=False, product=product))
            self.deliver(sent, f"/products/{product}/images")

    def create(self, photo: Photo) -> str | None:
        """Create a product; returns its public id. An answer that is lost leaves the photo to chance."""
        sent = self.book.note(Sent("portal", [photo], creates=True))
        sent.tell(Told.UNKNOWN)
        try:
            answer = self.script(self.address, ("place", "", b"0"), ("images", photo.name, photo.data))
        except (OSError, HTTPException):
            sent.lost += 1
            return None
        if answer.status >= 500:
            sent.lost += 1
            return None
        self._read(sent, answer)
        sent.product = self._product_of(answer)
        return sent.product or None

    def _product_of(self, answer: Answer) -> str:
        page: str = (answer.data.get("product") or {}).get("page", "")
        return page.rpartition("/")[2]

    def deliver(self, sent: Sent, path: str) -> None:
        """Send one photo to a product until the site has said what became of it."""
        (photo,) = sent.photos
        parts = (("place", "", b"1"), ("images", photo.name, photo.data))
        try:
            self._read(sent, self.insist(lambda: self.script(path, *parts), sent))
        except GaveUp:
            sent.tell(Told.UNKNOWN)
            raise

    def _read(self, sent: Sent, answer: Answer) -> None:
        (photo,) = sent.photos
        entries = answer.data.get("received", ())
        if answer.status != 200 or len(entries) != 1:
            self.observed.fault("answers that no client expects", f"portal: {answer.status} {answer.body[:200]!r}")
            return
        code = entries[0]["code"]
        stored = code is None or (code == "duplicate" and sent.lost > 0)
        sent.tell(Told.STORED if stored else Told.REFUSED, photo)
        if photo.is_good and not stored:
            self.observed.fault("good images refused", f"{photo.name}: {entries[0]}")

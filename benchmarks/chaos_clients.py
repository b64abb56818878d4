"""More clients for the chaos proof: services that send an Idempotency-Key, and one that decides what models propose."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.chaos_process import POISON
from benchmarks.outage_book import Book, Photo, Sent, Told
from benchmarks.outage_clients import PRODUCTS, Access, ApiClient, Client, GaveUp
from benchmarks.outage_http import Answer, Wire

IN_USE = "idempotency_key_in_use"


@dataclass
class Decided:
    """A value that a client decided, and whether it was told that it counts."""

    product: str
    attribute: str
    value: str
    reason: str  # like no other, so that the row is found by it
    lost: int = 0
    acknowledged: bool = False


class KeyedClient(ApiClient):
    """A service that gives every upload a key: sent again, it must hear what it would have heard the first time."""

    def is_meant(self, answer: Answer) -> bool:
        """Whether the request is over: what another process has in hand is asked for again."""
        return super().is_meant(answer) and answer.data.get("code") != IN_USE

    def act(self) -> None:
        """Create a product, or add images to one."""
        mine = [sent for sent in self.book.known_products("api") if sent.sku.startswith(self.name)]
        if mine and self.chance.random() < 0.3:
            self.add(self.chance.choice(mine))
        else:
            self.create(self.new_sku())

    def deliver(self, sent: Sent, path: str, *, taken: bool = False) -> None:
        """Send it under one key until the site has said what became of it."""
        body, headers = self.body_of(sent)
        headers |= {"Idempotency-Key": str(uuid.uuid4())}
        try:
            answer = self.insist(lambda: self.wire.ask("POST", path, body, headers), sent)
        except GaveUp:
            sent.tell(Told.UNKNOWN)
            raise
        entries = answer.data.get("uploads", ())
        if len(entries) != len(sent.photos):
            self.observed.fault("keyed requests that were not answered as the first time", f"{path}: {answer.data}")
            sent.tell(Told.UNKNOWN)
            return
        sent.product = sent.product or answer.data.get("id", "")
        for photo, entry in zip(sent.photos, entries, strict=True):
            sent.tell(Told.STORED if entry["image"] else Told.REFUSED, photo)
            if photo.is_good and not entry["image"]:
                self.observed.fault("good images refused", f"{photo.name}: {entry}")


class Poisoner(KeyedClient):
    """Sends, when it is asked to, a product of an image that kills who looks at it, and of one that does not."""

    def poison(self) -> Sent:
        """Send one; returns it."""
        good, bad = self.book.photos.take(2)
        photos = [Photo(f"{POISON}-{bad.name}", bad.data), good]
        sent = self.book.note(Sent("api", photos, creates=True, sku=self.new_sku()))
        self.deliver(sent, PRODUCTS)
        return sent


class Decider(Client):
    """A service that decides values of products, each once, and never over what it has not seen."""

    def __init__(self, number: int, wire: Wire, book: Book, access: Access) -> None:
        super().__init__(number, wire, book, access)
        self.decided: list[Decided] = []
        self._headers: Mapping[str, str] = {"Authorization": f"Bearer {access.key}", "Accept-Language": "en"}

    def act(self) -> None:
        """Decide a proposed value of a product."""
        products = [sent.product for sent in self.book.known_products("api")]
        if not products:
            return
        product = self.chance.choice(products)
        shown = self._ask("GET", f"{PRODUCTS}/{product}/attributes").data.get("attributes", {})
        done = {one.attribute for one in self.decided if one.product == product}
        proposed = [
            code for code, value in shown.items() if value["state"] in {"proposed", "auto"} and code not in done
        ]
        if not proposed:
            return
        code = self.chance.choice(proposed)
        one = Decided(product, code, shown[code]["value"], f"{self.name} {len(self.decided)}")
        self.decided.append(one)
        self._decide(one)

    def _ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return self.insist(lambda: self.wire.ask(method, path, body, {**self._headers, **(headers or {})}))

    def _decide(self, one: Decided) -> None:
        """Say it until it counts: only over the version that was read, so that an answer that was lost is noticed."""
        path = f"{PRODUCTS}/{one.product}/attributes/{one.attribute}"
        said = json.dumps({"value": one.value, "reason": one.reason}).encode()
        while not one.acknowledged:
            read = self._ask("GET", path)
            if read.data.get("state") == "decided":  # an answer was lost: nobody else decides here
                one.acknowledged = True
                break
            headers = {"Content-Type": "application/json", "If-Match": read.headers.get("etag", "")}
            sent = Sent("api", (), creates=False)
            answer = self.insist(partial(self._put, path, said, headers), sent)
            one.lost += sent.lost
            if answer.status == 200:
                one.acknowledged = True
            elif answer.status != 412:
                if answer.data.get("code") != "does_not_apply":  # the models have meanwhile found another garment
                    self.observed.fault("decisions refused", f"{path}: {answer.status} {answer.data}")
                self.decided.remove(one)
                return

    def _put(self, path: str, said: bytes, headers: Mapping[str, str]) -> Answer:
        return self.wire.ask("PUT", path, said, {**self._headers, **headers})

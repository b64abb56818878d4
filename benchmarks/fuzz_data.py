"""What the fuzzing sends besides chance: keys of two merchants, products with real images, and settings for both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bulk_site import Browser

ANSWERS = "answers.txt"
KNOWN = "known.json"
HOOKS = "benchmarks.fuzz_hooks"
PRODUCTS = "/api/v1/products"

# What a request gets that is right in form, by rules that a schema cannot say. 400: a value of another attribute, a
# cursor that nobody was given; 404: somebody else's, or none; 409: the product's state; 412, 422: what came before.
RULES = ["2xx", "304", "400", "401", "403", "404", "409", "412", "413", "422", "429"]
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "411", "412", "413", "415", "422", "429"]


@dataclass
class Access:
    """A merchant's key, and what its products are."""

    key: str
    products: dict[str, dict[str, list[int]]] = field(default_factory=dict)  # the images, and each one's garments

    def seed(self, browser: Browser, images: list[bytes]) -> None:
        """Create products of two images each, and remember their ids, and no others."""
        self.products.clear()
        for number in range(0, len(images), 2):
            parts = [("images", f"{n}.jpg", data) for n, data in enumerate(images[number : number + 2])]
            made = browser.ask("POST", PRODUCTS, *parts, key=True)
            if made.status != 201:
                raise RuntimeError(f"{made.status} {made.body[:300]!r}")
            self.products[made.data["id"]] = {one["image"]["id"]: [] for one in made.data["uploads"]}

    def waits(self, browser: Browser) -> bool:
        """Whether images of these products wait for the worker."""
        return any(
            browser.ask("GET", f"{PRODUCTS}/{product}", key=True).data.get("status") == "classifying"
            for product in self.products
        )

    def draw_garments(self) -> None:
        """Draw a garment in every image: models find none in noise."""
        from accounts.actors import Actor
        from accounts.channels import Channel
        from accounts.models import ApiKey
        from catalog.models import ProductImage
        from classifier import garments

        key = ApiKey.objects.select_related("merchant").get(key_hash=ApiKey.hash(self.key))
        actor = Actor(channel=Channel.API, api_key=key, merchant=key.merchant)
        for images in self.products.values():
            for public_id, known in images.items():
                image = ProductImage.objects.get(public_id=public_id)
                drawn = garments.draw(actor=actor, image=image, box=(0.1, 0.1, 0.8, 0.9), top_category="")
                known.append(drawn.pk)


def open_merchant() -> Access:
    """Add another merchant with a key."""
    from accounts.models import ApiKey, Merchant

    secret, prefix, key_hash = ApiKey.generate()
    merchant = Merchant.objects.create(name="Another shop")
    ApiKey.objects.create(merchant=merchant, name="fuzz", prefix=prefix, key_hash=key_hash)
    return Access(secret)


def _known_values() -> dict[str, list[str]]:
    """Return the codes of each attribute's values."""
    from catalog.models import Attribute

    attributes = Attribute.objects.prefetch_related("values")
    return {attribute.code: [value.code for value in attribute.values.all()] for attribute in attributes}


def write_settings(folder: Path, first: Access, second: Access) -> Path:
    """Write schemathesis's settings and what its hooks read; returns the settings' path."""
    known = {"products": first.products, "values": _known_values()}
    (folder / KNOWN).write_text(json.dumps(known))
    people = [("first", first.key), ("second", second.key)]
    auth = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {key}"}]} for name, key in people
    ]
    (folder / "auth.json").write_text(json.dumps({"auth": auth}))
    path = folder / "schemathesis.toml"
    path.write_text("\n".join(_lines(folder)))
    return path


def _lines(folder: Path) -> list[str]:
    def text(value: Any) -> str:
        return json.dumps(value)  # TOML's strings and lists are JSON's

    return [
        f"hooks = {text(HOOKS)}",
        "request-timeout = 60",
        "cache.enabled = false",
        "[generation]",
        "allow-extra-parameters = false",
        'exclude-header-characters = "\\n\\r\\t "',  # every server takes spaces off a header's ends
        'database = "none"',
        "[auth.wfc]",
        f"path = {text(str(folder / 'auth.json'))}",
        'user = "first"',
        'peers = ["first", "second"]',
        "[checks]",
        f"positive_data_acceptance.expected-statuses = {text(RULES)}",
        f"negative_data_rejection.expected-statuses = {text(REFUSED)}",
        f"missing_required_header.expected-statuses = {text(REFUSED)}",
    ]

#!/usr/bin/env python
"""Walk through docs/new-fashion.md: a material and an attribute, from the admin to a promoted model.

Makes T-shirts of two materials and two necklines from images of the demo shop, adds `seersucker` and `neckline` on
the admin's pages, lets a person decide the products, and then runs the guide's commands and prints what they say. At
the end new images are classified, and what is proposed for them is counted. Exits with 1 if a new neckline is not
proposed at all.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kill import ROOT, configure
from benchmarks.reclassify import command, is_over, work_until

NECKLINES = ("round", "v-neck")
MATERIALS = ("jersey", "seersucker")
SIZE = (360, 480)

# Plain T-shirts of the demo shop, and where they lie: left, top, right and bottom as fractions of the image.
TSHIRTS = {
    "tshirt-charcoal.jpg": (0.01, 0.16, 0.99, 0.95),
    "tshirt-grey.jpg": (0.06, 0.18, 0.91, 0.88),
    "tshirt-ringer.jpg": (0.03, 0.22, 0.98, 0.9),
}


def draw(number: int) -> tuple[bytes, str, str]:
    """A T-shirt like no other: the image, its material and its neckline, each of the four looks in turn.

    Images of plain T-shirts get stripes for seersucker, a wedge for a V-neck, and colours of their own.
    """
    from demo.catalogue import IMAGES

    chance = random.Random(number)
    material, neckline = MATERIALS[number % 2], NECKLINES[number // 2 % 2]
    file = chance.choice(list(TSHIRTS))
    with Image.open(IMAGES / file) as opened:
        image = opened.convert("RGB").resize(SIZE)
    left, top, right, bottom = (edge * SIZE[index % 2] for index, edge in enumerate(TSHIRTS[file]))
    width, height, middle = right - left, bottom - top, (left + right) / 2
    marks = ImageDraw.Draw(image, "RGBA")
    if material == "seersucker":
        colour = (chance.randrange(150, 256), chance.randrange(150, 256), chance.randrange(150, 256), 150)
        step = chance.uniform(5, 7)
        for stripe in range(int(0.5 * width / step)):
            x = middle - 0.25 * width + stripe * step
            marks.rectangle((x, top + 0.14 * height, x + step / 2, bottom - 0.06 * height), fill=colour)
    if neckline == "v-neck":
        corners = [(middle - 0.12 * width, top + 0.02 * height), (middle + 0.12 * width, top + 0.02 * height)]
        marks.polygon([*corners, (middle, top + 0.32 * height)], fill=(60, 52, 48, 255))
    light = Image.new("RGB", SIZE, tuple(chance.randrange(170, 256) for _ in range(3)))
    image = ImageChops.multiply(image, light).rotate(chance.uniform(-5, 5), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue(), material, neckline


def upload(numbers: range) -> dict[str, tuple[str, str]]:
    """Upload retouched images, each a product; returns material and neckline by the product's public id."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.actors import system
    from accounts.models import Merchant
    from catalog.services.uploads import create_product_with_images

    merchant, _created = Merchant.objects.get_or_create(name="New fashion", defaults={"images_for_training": True})
    known = {}
    for number in numbers:
        data, material, neckline = draw(number)
        files = [SimpleUploadedFile(f"{number}.jpg", data)]
        name = f"Top {number}"
        product, _files = create_product_with_images(actor=system(), merchant=merchant, files=files, name=name)
        assert product is not None
        known[product.public_id] = (material, neckline)
    return known


def extend_taxonomy() -> None:
    """Add a material, and an attribute with two values, on the admin's pages."""
    from django.test import Client
    from django.urls import reverse

    from accounts.models import User
    from catalog.models import Attribute, AttributeValue

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("admin@example.com", "only for this walk", name="admin"))

    def add(model: str, **fields: object) -> None:
        answer = client.post(reverse(f"admin:catalog_{model}_add"), {"position": 90, "active": "on", **fields})
        assert answer.status_code == 302, answer.content

    def attribute(code: str) -> int:
        return Attribute.objects.get(code=code).pk

    top = AttributeValue.objects.get(attribute__code="category", code="Top")
    add("attributevalue", attribute=attribute("material"), code="seersucker", name_ko="시어서커", name_en="Seersucker")
    add("attribute", code="neckline", name_ko="네크라인", name_en="Neckline", applies_to=[top.pk])
    for code, korean, english in (("round", "라운드넥", "Round neck"), ("v-neck", "브이넥", "V-neck")):
        add("attributevalue", attribute=attribute("neckline"), code=code, name_ko=korean, name_en=english)


def decide(known: dict[str, tuple[str, str]]) -> None:
    """Let an editor of the merchant say what each product is."""
    from accounts.actors import Actor
    from accounts.channels import Channel
    from accounts.models import Membership, Merchant, User
    from catalog.models import Product
    from catalog.services import save_review

    merchant = Merchant.objects.get(name="New fashion")
    user = User.objects.create_user("bob@example.com", "only for this walk", name="bob")
    Membership.objects.create(user=user, merchant=merchant, role=Membership.Role.EDITOR)
    actor = Actor(channel=Channel.PORTAL, user=user, merchant=merchant, role=Membership.Role.EDITOR)
    for product in Product.objects.filter(public_id__in=known):
        material, neckline = known[product.public_id]
        values = {"category": "Tshirt", "material": material, "sleeve_length": "short", "neckline": neckline}
        save_review(actor=actor, product=product, top_category="Top", values=values)


def say(*arguments: str) -> str:
    """Run a command of the guide, and print it with what it says."""
    print(f"\n    manage.py {' '.join(arguments)}", flush=True)
    printed = command(*arguments)
    print(printed, flush=True)
    return printed


def everything_is_classified() -> bool:
    """Whether no image waits."""
    from classifier.models import Classification

    return not Classification.objects.filter(applied_at=None, purpose="live").exists()


def walk(folder: Path, earlier: list[str], base: str, products: int, epochs: str) -> int:
    """Do all of it in `folder`; returns the exit status."""
    from catalog.models import Product

    extend_taxonomy()
    known = upload(range(products))
    work_until(everything_is_classified)
    decide(known)

    decided, data, candidate = f"{folder}/decided", f"{folder}/data", f"{folder}/candidate"
    say("export_dataset", "--out", decided)
    say("import_dataset", *earlier, decided, "--out", data)
    say_weights(candidate)
    for role in ("neckline", "material"):
        options = ["--epochs", epochs, "--image-size", "160", "--out", f"{folder}/{role}", "--publish", candidate]
        say("train", role, "--data", data, "--base", base, *options)
    say("evaluate", "--compare", "weights", candidate, "--data", data, "--out", f"{folder}/evaluation")
    names = []
    for role in ("neckline", "material"):
        names.append(f"{role}-walk")
        say("register_model", f"{folder}/{role}", "--role", role, "--name", names[-1])
    trial = say("shadow", *names)
    work_until(lambda: is_over(trial))
    say("operations", trial)
    say("promote", *names)

    unseen = upload(range(products, products + 40))
    work_until(everything_is_classified)
    said: Counter[str] = Counter()
    for product in Product.objects.filter(public_id__in=unseen):
        top = product.proposal.candidate("Top")
        found = top.attributes if top else {}
        for attribute, true in zip(("material", "neckline"), unseen[product.public_id], strict=True):
            value = found[attribute].value if attribute in found else "nothing"
            said[f"{attribute}: {true}, proposed {value}"] += 1
    print("\n| 40 new images | |\n|---|---|")
    for line, count in sorted(said.items()):
        print(f"| {line} | {count} |")
    return 0 if any("neckline" in line and "nothing" not in line for line in said) else 1


def say_weights(candidate: str) -> None:
    """Copy the weights that serve, for the candidates to be put in."""
    import shutil

    print(f"\n    cp -r weights {candidate}")
    shutil.copytree(ROOT / "weights", candidate)


def main() -> int:
    """Walk in a folder that stays, or in one of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="keep everything in this new folder")
    parser.add_argument("--earlier", nargs="*", default=[], help="data sets that the models of today learned from")
    parser.add_argument("--base", default="weights/attributes.pt", help="start weights (default %(default)s)")
    parser.add_argument("--products", type=int, default=120)
    parser.add_argument("--epochs", default="8")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otjang-new-fashion-") as name:
        folder: Path = arguments.out or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        configure(folder, os.environ.get("DATABASE_URL", ""))
        try:
            return walk(folder.resolve(), arguments.earlier, arguments.base, arguments.products, arguments.epochs)
        finally:
            from django.db import connections

            connections.close_all()


if __name__ == "__main__":
    sys.exit(main())

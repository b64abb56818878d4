"""Creates the demo shop: accounts with random passwords, then products that go the way of every merchant's."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.core.management import call_command
from django.db import transaction

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import Membership, Merchant, User
from accounts.services import record
from catalog.models import Product
from catalog.services import archive, create_product, save_review
from catalog.services.uploads import create_product_with_images
from classifier.quality.thresholds import calibrate
from core.text import lookup_key
from demo.catalogue import DECIDED, DRAFTS, QUEUED, TO_CLASSIFY, DemoProduct, Outcome

SHOP_NAME = "옷장 데모 상점"
OWNER_EMAIL = "demo@otjang.example"
ADMIN_EMAIL = "admin@otjang.example"

# Ten products' decisions prove no more than this. It is for the demo shop alone, whose values nobody relies on.
PRECISION = 0.5


@dataclass(frozen=True)
class Account:
    """Somebody who can log in; no password where the account was there before."""

    email: str
    password: str | None


@dataclass(frozen=True)
class DemoShop:
    """What was created. Its owner acts in it through `actor`."""

    merchant: Merchant
    actor: Actor
    owner: Account
    admin: Account


def _account(email: str, *, is_admin: bool) -> tuple[User, Account]:
    existing = User.objects.filter(email_key=lookup_key(email)).first()
    if existing is not None:
        return existing, Account(email, None)
    password = secrets.token_urlsafe(12)
    create = User.objects.create_superuser if is_admin else User.objects.create_user
    return create(email, password, name="관리자" if is_admin else "데모"), Account(email, password)


@transaction.atomic
def create_demo_shop() -> DemoShop | None:
    """Create the demo shop without products, its owner and an administrator; None if there is a demo shop already."""
    if Merchant.objects.filter(is_demo=True).exists():
        return None
    merchant = Merchant.objects.create(
        name=SHOP_NAME,
        is_demo=True,
        images_for_training=False,  # models are measured on some of them
    )
    user, owner = _account(OWNER_EMAIL, is_admin=False)
    _user, admin = _account(ADMIN_EMAIL, is_admin=True)
    Membership.objects.create(user=user, merchant=merchant, role=Membership.Role.OWNER)
    actor = Actor(channel=Channel.COMMAND, user=user, merchant=merchant, role=Membership.Role.OWNER)
    record(
        actor=actor,
        action="merchant.create_demo",
        subject_type="merchant",
        subject_id=merchant.public_id,
        merchant_id=merchant.pk,
    )
    return DemoShop(merchant, actor, owner, admin)


def fill(shop: DemoShop) -> None:
    """Create the shop's products, in every state that a product can be in.

    All comes about as it does elsewhere: the worker classifies, the owner decides, thresholds are calibrated on
    what was decided. Without weights the images wait for the worker instead, and nothing is auto-accepted.
    """
    # The newest product comes first in lists, so the last one of each part is created first.
    for item in DRAFTS:
        create_product(actor=shop.actor, merchant=shop.merchant, name=item.name, sku=item.sku)
    decided = [(item, _create(shop, item)) for item in reversed(DECIDED)]
    _classify()
    for item, product in decided:
        _decide(shop, item, product)
    calibrate(actor=system(), precision=PRECISION, merchant=shop.merchant)
    to_classify = [(item, _create(shop, item)) for item in reversed(TO_CLASSIFY)]
    with _taken_away(product for item, product in to_classify if item.unreadable_once):
        _classify()
    for item in reversed(QUEUED):
        _create(shop, item)


def _create(shop: DemoShop, item: DemoProduct) -> Product:
    files: list[UploadedFile[bytes]] = [
        SimpleUploadedFile(image.name, image.path.read_bytes(), "image/jpeg") for image in item.images
    ]
    product, received = create_product_with_images(
        actor=shop.actor, merchant=shop.merchant, files=files, name=item.name, sku=item.sku
    )
    for entry in received:
        if entry.refusal is not None:
            raise entry.refusal
    assert product is not None  # one without an image would have been refused
    return product


def _classify() -> None:
    """Do what waits, as the worker does: this process is one as long as it lasts."""
    call_command("worker", once=True)


def _decide(shop: DemoShop, item: DemoProduct, product: Product) -> None:
    save_review(
        actor=shop.actor,
        product=product,
        top_category=None,
        values=item.decided,
        publish=item.outcome is Outcome.PUBLISHED,
        while_classifying=True,  # without weights its images wait, and the owner need not
    )
    if item.outcome is Outcome.ARCHIVED:
        archive(actor=shop.actor, product=product)


@contextmanager
def _taken_away(products: Iterable[Product]) -> Iterator[None]:
    """Keep the display copies of these products out of the storage for a while.

    The worker then fails as it does when a storage loses a file. The copies come back afterwards, so that the page
    shows the image, and to classify it again works.
    """
    copies = {}
    for product in products:
        for image in product.images.all():
            with image.display.open() as file:
                copies[str(image.display)] = file.read()
            default_storage.delete(str(image.display))
    try:
        yield
    finally:
        for name, data in copies.items():
            default_storage.save(name, ContentFile(data))

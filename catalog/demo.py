"""The demo shop: accounts with passwords of chance, and products whose photographs are drawings."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.actors import Actor, Via
from accounts.models import Membership, Merchant, User
from accounts.services import record
from accounts.text import lookup_key
from catalog.drawings import SIZE, Garment, Placed, photograph
from catalog.intake import Prepared, create_prepared, prepared_product

SHOP_NAME = "옷장 데모 상점"
OWNER_EMAIL = "demo@otjang.example"
ADMIN_EMAIL = "admin@otjang.example"

_TSHIRT = Garment("tshirt", "jersey", (236, 234, 228), (180, 180, 180))
_SHIRT = Garment("shirt", "stripes", (238, 241, 246), (108, 146, 198))
_HOODIE = Garment("hoodie", "jersey", (132, 136, 142), (236, 236, 232))
_SWEATER = Garment("sweater", "knit", (202, 178, 138), (150, 120, 90))
_JEANS = Garment("jeans", "denim", (58, 82, 124), (198, 146, 82))
_SKIRT = Garment("skirt", "jersey", (122, 44, 58), (60, 30, 30))
_DRESS = Garment("dress", "flowers", (38, 56, 92), (232, 156, 168))
_JACKET = Garment("denim_jacket", "denim", (86, 122, 168), (206, 160, 96))
_COAT = Garment("coat", "wool", (176, 132, 84), (70, 50, 36))


@dataclass(frozen=True)
class _Picture:
    name: str
    ground: str
    placed: Sequence[Placed]
    size: tuple[int, int] = SIZE


@dataclass(frozen=True)
class _Article:
    sku: str
    name: str
    pictures: Sequence[_Picture]


def _upper(garment: Garment, angle: float = 0.0) -> Placed:
    return Placed(garment, top=(0.5, 0.24), height=0.51, angle=angle)


def _long(garment: Garment, angle: float = 0.0, height: float = 0.82) -> Placed:
    return Placed(garment, top=(0.5, 0.09), height=height, angle=angle)


_ARTICLES = (
    _Article(
        "DEMO-01",
        "베이직 코튼 반팔 티셔츠",
        (_Picture("앞면.jpg", "wood", [_upper(_TSHIRT, -3)]), _Picture("전체.jpg", "table", [_upper(_TSHIRT, 4)])),
    ),
    _Article(
        "DEMO-02",
        "스트라이프 긴팔 셔츠",
        (_Picture("앞면.jpg", "table", [_upper(_SHIRT, 2)]), _Picture("바닥.jpg", "wood", [_upper(_SHIRT, -4)])),
    ),
    _Article("DEMO-03", "그레이 후드티", (_Picture("앞면.jpg", "carpet", [_upper(_HOODIE)]),)),
    _Article(
        "DEMO-04",
        "인디고 스트레이트 청바지",
        (_Picture("앞면.jpg", "sheet", [_long(_JEANS, 3)]), _Picture("바닥.jpg", "wood", [_long(_JEANS, -4)])),
    ),
    _Article("DEMO-05", "버건디 플리츠 스커트", (_Picture("앞면.jpg", "carpet", [_long(_SKIRT, -2, 0.7)]),)),
    _Article(
        "DEMO-06",
        "플라워 민소매 원피스",
        (_Picture("앞면.jpg", "sheet", [_long(_DRESS, 1)]), _Picture("바닥.jpg", "wood", [_long(_DRESS, -3)])),
    ),
    _Article(
        "DEMO-07",
        "오버핏 데님 재킷",
        (
            _Picture("앞면.jpg", "carpet", [_upper(_JACKET, 2)]),
            _Picture("침대.jpg", "sheet", [_upper(_JACKET, -3)]),
            _Picture(  # two garments in one photograph, so that the product's page has two rows to choose from
                "코디.jpg",
                "sheet",
                [Placed(_JACKET, top=(0.28, 0.2), height=0.55), Placed(_JEANS, top=(0.78, 0.08), height=0.84)],
                size=(800, 600),
            ),
        ),
    ),
    _Article(
        "DEMO-08",
        "케이블 울 니트",
        (_Picture("앞면.jpg", "table", [_upper(_SWEATER, -1)]), _Picture("바닥.jpg", "wood", [_upper(_SWEATER, 3)])),
    ),
    _Article("DEMO-09", "카멜 더블 코트", (_Picture("앞면.jpg", "sheet", [_long(_COAT)]),)),
)


@dataclass(frozen=True)
class Account:
    """Somebody who can log in; no password where the account was there before."""

    email: str
    password: str | None


@dataclass(frozen=True)
class DemoShop:
    """What was created."""

    merchant: Merchant
    owner: Account
    admin: Account
    products: int


def _account(email: str, *, is_admin: bool) -> tuple[User, Account]:
    existing = User.objects.filter(email_key=lookup_key(email)).first()
    if existing is not None:
        return existing, Account(email, None)
    password = secrets.token_urlsafe(12)
    create = User.objects.create_superuser if is_admin else User.objects.create_user
    return create(email, password, name="관리자" if is_admin else "데모"), Account(email, password)


def _draw() -> list[tuple[_Article, list[SimpleUploadedFile]]]:
    drawn, seed = [], 0
    for article in _ARTICLES:
        files = []
        for picture in article.pictures:
            seed += 1
            data = photograph(*picture.placed, ground=picture.ground, seed=seed, size=picture.size)
            files.append(SimpleUploadedFile(picture.name, data, "image/jpeg"))
        drawn.append((article, files))
    return drawn


def create_demo_shop() -> DemoShop | None:
    """Create the demo shop, its owner, an administrator and products; None if there is a demo shop already.

    The photographs go through the same door as every upload, so a worker classifies them.
    """
    if Merchant.objects.filter(is_demo=True).exists():
        return None
    with ExitStack() as stack:
        return _create([(article, stack.enter_context(prepared_product(files))) for article, files in _draw()])


@transaction.atomic
def _create(prepared: list[tuple[_Article, Prepared]]) -> DemoShop:
    """Write all rows at once: a demo shop that broke off could not be created again."""
    merchant = Merchant.objects.create(
        name=SHOP_NAME,
        is_demo=True,
        photographs_for_training=False,  # drawings
    )
    user, owner = _account(OWNER_EMAIL, is_admin=False)
    _user, admin = _account(ADMIN_EMAIL, is_admin=True)
    Membership.objects.create(user=user, merchant=merchant, role=Membership.Role.OWNER)
    actor = Actor(via=Via.COMMAND, user=user, merchant=merchant, role=Membership.Role.OWNER)
    record(
        actor=actor,
        action="merchant.create_demo",
        subject_type="merchant",
        subject_id=merchant.public_id,
        merchant_id=merchant.pk,
    )
    for article, files in reversed(prepared):  # the newest one comes first in lists
        create_prepared(actor=actor, merchant=merchant, prepared=files, name=article.name, sku=article.sku)
    return DemoShop(merchant, owner, admin, len(prepared))

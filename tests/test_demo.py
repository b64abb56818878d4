"""The demo shop: made once, from drawings, with passwords that work."""

import io
import re

import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image, ImageChops, ImageStat

from accounts.models import AuditEvent, Merchant, User
from catalog.demo import OWNER_EMAIL, SHOP_NAME
from catalog.drawings import SIZE, Garment, Placed, photograph
from catalog.drawings.cloth import FABRICS, GROUNDS
from catalog.drawings.cuts import CUTS
from catalog.models import Product, ProductImage
from classifier.models import Classification


def _create():
    output = io.StringIO()
    call_command("create_demo", stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_it_creates_a_shop_whose_photographs_wait_for_the_worker():
    text = _create()
    shop = Merchant.objects.get()
    assert (shop.name, shop.is_demo) == (SHOP_NAME, True)
    assert Product.objects.filter(merchant=shop, status="classifying").count() == 9
    assert Classification.objects.filter(state="queued").count() == ProductImage.objects.count() == 16
    assert AuditEvent.objects.filter(action="product.create", user__email=OWNER_EMAIL, via="command").count() == 9
    assert "데모" in text
    assert "drawings" in text


@pytest.mark.django_db
def test_it_prints_passwords_that_log_in():
    found = re.findall(r"(\S+@otjang\.example) .*password: (\S+)", _create())
    assert [email.split("@")[0] for email, _password in found] == ["demo", "admin"]
    for email, password in found:
        assert Client().login(username=email, password=password)
    owner, admin = (User.objects.get(email=email) for email, _password in found)
    assert owner.memberships.get().role == "owner"
    assert not owner.is_staff
    assert admin.is_superuser


@pytest.mark.django_db
def test_it_changes_nothing_the_second_time():
    _create()
    before = list(Product.objects.values()), list(User.objects.values())
    text = _create()
    assert "nothing was changed" in text
    assert "password" not in text
    assert (list(Product.objects.values()), list(User.objects.values())) == before


@pytest.mark.django_db
def test_it_keeps_an_account_that_is_there():
    admin = User.objects.create_superuser("Admin@otjang.example", "their own password")
    text = _create()
    assert "unchanged" in text
    assert Client().login(username=admin.email, password="their own password")
    assert User.objects.count() == 2


@pytest.mark.parametrize("cut", sorted(CUTS))
def test_it_draws_every_cut_within_the_picture(cut):
    def draw(colour):
        garment = Garment(cut, "jersey", colour, (0, 0, 255))
        picture = Image.open(
            io.BytesIO(photograph(Placed(garment, top=(0.5, 0.24), height=0.5), ground="table", seed=1))
        )
        assert (picture.format, picture.size) == ("JPEG", SIZE)
        return picture.convert("RGB")

    # What differs between a red and a green one is the garment.
    difference = ImageChops.difference(draw((200, 30, 30)), draw((30, 200, 30))).convert("L")
    difference = difference.point(lambda value: 255 if value > 40 else 0)
    left, top, right, bottom = difference.getbbox()
    assert left > 0
    assert right < SIZE[0]
    assert top > 0
    assert bottom < SIZE[1]
    assert ImageStat.Stat(difference).mean[0] > 20


@pytest.mark.parametrize("ground", sorted(GROUNDS))
@pytest.mark.parametrize("fabric", sorted(FABRICS))
def test_the_same_seed_gives_the_same_picture(ground, fabric):
    garment = Garment("tshirt", fabric, (90, 120, 90), (240, 240, 240))
    small = {"ground": ground, "size": (120, 160)}
    first = photograph(Placed(garment), seed=7, **small)
    assert first == photograph(Placed(garment), seed=7, **small)
    assert first != photograph(Placed(garment), seed=8, **small)

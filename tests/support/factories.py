"""Rows for tests."""

import hashlib

import factory
from django.contrib.auth.models import Group, Permission

from accounts.models import Membership, Merchant, User
from catalog.models import Product, ProductImage


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("correct horse battery")


class MerchantFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Merchant

    name = factory.Sequence(lambda n: f"Merchant {n}")
    images_for_training = True


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    merchant = factory.SubFactory(MerchantFactory)
    role = Membership.Role.EDITOR


class ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    merchant = factory.SubFactory(MerchantFactory)
    sku = factory.Sequence(lambda n: f"SKU-{n}")
    name = factory.Sequence(lambda n: f"Product {n}")


class ProductImageFactory(factory.django.DjangoModelFactory):
    """An image without files behind it; tests that need the image go through catalog.services.uploads."""

    class Meta:
        model = ProductImage

    product = factory.SubFactory(ProductFactory)
    original = factory.Sequence(lambda n: f"products/x/{n}.jpg")
    display = factory.Sequence(lambda n: f"products/x/{n}-display.jpg")
    thumbnail = factory.Sequence(lambda n: f"products/x/{n}-thumbnail.jpg")
    original_name = factory.Sequence(lambda n: f"photo{n}.jpg")
    sha256 = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    size = 1000
    width = 400
    height = 300
    position = factory.Sequence(lambda n: n % 100)


def staff_user(*permissions):
    """A member of staff who holds the permissions of these code names, and no others."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def in_group(group, **fields):
    """A member of staff who is in a ready group, which `load_groups` has made, and has no other permission."""
    user = UserFactory(is_staff=True, **fields)
    user.groups.add(Group.objects.get(name=group))
    return user

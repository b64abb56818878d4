"""What was said before there was a word for it keeps its meaning."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from catalog.models import Attribute, AttributeValue, Decision

pytestmark = pytest.mark.django_db

said_by_people = import_module("catalog.migrations.0004_said_by_people")


def _say(product, attribute, *kinds):
    row = Attribute.objects.get(code=attribute)
    value = AttributeValue.objects.filter(attribute=row, children=None).first()
    return [
        Decision.objects.create(
            product=product,
            attribute=row,
            kind=kind,
            value=value if kind == "set" else None,
            source=source,
            via="portal",
        ).pk
        for source, kind in kinds
    ]


def test_a_withdrawal_of_nothing_is_what_was_left_open(product):
    taken_back = _say(product, "material", ("human", "set"), ("human", "withdrawn"))
    opened = _say(product, "category", ("auto", "set"), ("human", "withdrawn"), ("auto", "withdrawn"))
    both = _say(product, "sleeve_length", ("import", "set"), ("human", "withdrawn"), ("human", "withdrawn"))

    said_by_people.name_what_was_left_open(apps, connection.schema_editor())

    left_open = Decision.objects.filter(kind="open").order_by("pk")
    assert list(left_open.values_list("pk", flat=True)) == [opened[1], both[2]]
    said_by_people.withdraw_what_was_left_open(apps, connection.schema_editor())
    assert not Decision.objects.filter(kind="open").exists()
    assert Decision.objects.get(pk=taken_back[1]).kind == "withdrawn"

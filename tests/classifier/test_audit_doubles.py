"""`manage.py audit_data` finds what a constraint forbids, where a restored database has lost the constraint."""

from contextlib import contextmanager

import pytest
from django.db import connection

from catalog.models import ProductAttribute
from classifier.models import Prediction
from tests.support.audited import findings

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def without(model, name):
    """Take a constraint away, and put it back when what it forbids is gone."""
    constraints = model._meta.constraints
    constraint = next(one for one in constraints if one.name == name)
    model._meta.constraints = [one for one in constraints if one is not constraint]
    try:
        with connection.schema_editor() as editor:
            editor.remove_constraint(model, constraint)
        yield
    finally:
        model._meta.constraints = constraints
        model.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


def copy_of(row):
    row.pk = None
    row.save(force_insert=True)


def test_two_current_values_of_an_attribute(merchant, classified):
    product = classified(merchant, "red")
    with without(ProductAttribute, "current_value_once"):
        copy_of(product.attributes.get(attribute__code="material"))
        assert findings() == {"values-doubled": [product.public_id]}


def test_two_predictions_of_a_garment_by_one_model(merchant, classified):
    classified(merchant, "red", "blue")
    prediction = Prediction.objects.order_by("pk")[0]
    with without(Prediction, "prediction_once"):
        copy_of(prediction)
        assert findings() == {"predictions-doubled": [f"garment {prediction.garment_id}"]}

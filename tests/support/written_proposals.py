"""Proposals as the classifier would store them, without a network."""

from django.db import transaction

from catalog import services


def row(top_category, confidence, images=1, of=1, prediction=None, **attributes):
    """One entry of a proposal; attributes by code as (value, confidence)."""
    return {
        "top_category": top_category,
        "confidence": confidence,
        "images": images,
        "of": of,
        "garments": [],
        "attributes": {
            code: {
                "value": value,
                "confidence": probability,
                "calibrated": True,
                "alternatives": [],
                "prediction": prediction,
                "model": f"{code}-test",
            }
            for code, (value, probability) in attributes.items()
        },
    }


def propose(product, *rows, chosen=None):
    """Store a proposal as the worker does when the last image is done."""
    with transaction.atomic():
        services.mark_classifying(product_id=product.pk)
        locked = services.lock_product(product.pk)
        services.write_proposal(product=locked, proposal=list(rows), row=chosen, classifying=False)
    product.refresh_from_db()

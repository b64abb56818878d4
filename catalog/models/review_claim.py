"""Who looks at which product in the review, so that two people never get the same one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from catalog.models.product import Product


class ReviewClaimQuerySet(models.QuerySet["ReviewClaim"]):
    """Claims by whether they still hold, by the database's clock."""

    def live(self) -> ReviewClaimQuerySet:
        """Claims that have not run out."""
        return self.filter(until__gt=Now())


class ReviewClaim(models.Model):
    """A person's claim to a product of the review. It runs out unless the page that shows it renews it."""

    product = models.OneToOneField(Product, models.CASCADE, related_name="review_claim")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    objects = ReviewClaimQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # no page shows it

    def __str__(self) -> str:
        return f"{self.product_id}: {self.user_id} until {self.until}"

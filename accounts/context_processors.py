"""What every page of the portal knows."""

from typing import Any

from django.http import HttpRequest

from accounts.impersonation import impersonator_of
from accounts.page_of import page_of


def active_merchant(request: HttpRequest) -> dict[str, Any]:
    """Offer the person's merchants, the active one and what they may do there; nothing for strangers."""
    if request.path.startswith("/admin/"):  # its pages speak of no one merchant
        return {}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not hasattr(request, "actor"):
        return {}
    actor = request.actor
    merchant = actor.merchant
    return {
        "impersonator": impersonator_of(request),
        "memberships": request.memberships,  # type: ignore[attr-defined]  # set by ActiveMerchantMiddleware
        "merchant": merchant,
        "page_of": page_of(request),
        "may_edit": merchant is not None and actor.can_edit(merchant.pk),
        "owns_merchant": actor.is_owner,
    }

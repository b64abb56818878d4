"""How commands name a merchant."""

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.models import Merchant


def merchant_named(text: str) -> Merchant:
    """Return the open merchant with that identifier or exact name; CommandError, naming them, if it is not one."""
    rows = Merchant.objects.filter(Q(public_id=text) | Q(name=text), is_active=True)
    found = [
        merchant for merchant in rows if text in (merchant.public_id, merchant.name)
    ]  # MariaDB also finds `cafe ` for `Café`
    if len(found) == 1:
        return found[0]
    reason = (
        "Several merchants have that name; give the identifier" if found else "There is no open merchant with that name"
    )
    known = ", ".join(
        f"{merchant.public_id} ({merchant.name})" for merchant in Merchant.objects.filter(is_active=True)[:20]
    )
    raise CommandError(f"{reason}. Merchants: {known or 'none yet'}.")

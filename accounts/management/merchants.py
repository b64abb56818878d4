"""How commands name a shop."""

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.models import Merchant


def shop_named(text: str) -> Merchant:
    """Return the open shop with that identifier or exact name. CommandError, with the shops, if it is not one."""
    rows = Merchant.objects.filter(Q(public_id=text) | Q(name=text), is_active=True)
    found = [shop for shop in rows if text in (shop.public_id, shop.name)]  # MariaDB also finds `cafe ` for `Café`
    if len(found) == 1:
        return found[0]
    reason = "Several shops have that name; give the identifier" if found else "There is no open shop with that name"
    known = ", ".join(f"{shop.public_id} ({shop.name})" for shop in Merchant.objects.filter(is_active=True)[:20])
    raise CommandError(f"{reason}. Shops: {known or 'none yet'}.")

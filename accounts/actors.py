"""Who acts: one value that the portal, the admin, the API and commands hand to every service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.channels import Channel
from core.errors import Forbidden

if TYPE_CHECKING:
    from accounts.models import ApiKey, Merchant, Operation, User


NOT_YOURS = _("You work as another person. Passwords, keys, members and settings are theirs alone to change.")


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, an API key or the system, within one merchant (None: staff over all merchants, or the system).

    `operation` is the long operation as whose part they act, if it is one: decisions carry it. `impersonator` is the
    member of staff who works as the user: decisions and the audit trail name both.
    """

    channel: Channel
    user: User | None = None
    api_key: ApiKey | None = None
    merchant: Merchant | None = None
    role: str | None = None
    operation: Operation | None = None
    impersonator: User | None = None

    @property
    def is_system(self) -> bool:
        """Whether nobody in particular acts: a command or the worker."""
        return self.user is None and self.api_key is None

    @property
    def sees_all_merchants(self) -> bool:
        """Whether rule 2's exception holds: staff with the permission, in the admin; and the system."""
        if self.is_system:
            return True
        return (
            self.channel == Channel.ADMIN
            and self.user is not None
            and self.user.is_staff
            and self.user.has_perm("accounts.view_all_merchants")
        )

    @property
    def is_owner(self) -> bool:
        """Whether a person acts who owns the merchant that they work in."""
        return self.merchant is not None and self.role == "owner"

    def can_manage(self, merchant_id: int, permission: str) -> bool:
        """Whether the actor may do what is an owner's to do in that merchant; staff need the permission for it.

        A key is made by an owner: where it may change products it may also delete what was put away, but not more.
        """
        if self.sees_all_merchants:
            return self.user is None or self.user.has_perm(permission)
        if self.api_key is not None:
            return permission.startswith("catalog.") and self.can_edit(merchant_id)
        return self.is_owner and self.merchant is not None and self.merchant.pk == merchant_id

    def require_manage(self, merchant_id: int, permission: str) -> None:
        """Raise Forbidden unless the actor may do what is an owner's to do in that merchant."""
        if not self.can_manage(merchant_id, permission):
            raise Forbidden("forbidden", _("Only an owner of the shop may do this."))

    def can_edit(self, merchant_id: int) -> bool:
        """Whether the actor may change products of that merchant."""
        if self.is_system:
            return True
        if self.sees_all_merchants:
            return self.user is not None and self.user.has_perm("catalog.change_product")
        if self.merchant is None or self.merchant.pk != merchant_id:
            return False
        if self.api_key is not None:
            return self.api_key.may_write
        return self.role in {"owner", "editor"}

    def require_edit(self, merchant_id: int) -> None:
        """Raise Forbidden unless the actor may change products of that merchant."""
        if not self.can_edit(merchant_id):
            raise Forbidden("forbidden", _("You may look at this shop's products but not change them."))

    def require_self(self) -> None:
        """Raise Forbidden if somebody works as another person: some things only that person may do."""
        if self.impersonator is not None:
            raise Forbidden("impersonated", NOT_YOURS)


def system(channel: Channel = Channel.COMMAND) -> Actor:
    """Return the actor of work that no person or key asked for."""
    return Actor(channel=channel)

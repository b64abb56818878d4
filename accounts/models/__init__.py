"""Users, merchants and who belongs to them; API keys, the audit trail and long operations."""

from accounts.models.audit import AuditEvent
from accounts.models.keys import ApiKey, Scope
from accounts.models.merchants import Invitation, Membership, Merchant, MerchantFigures
from accounts.models.operations import Operation
from accounts.models.requests import IdempotentRequest
from accounts.models.usage import Usage
from accounts.models.users import User, UserManager

__all__ = [
    "ApiKey",
    "AuditEvent",
    "IdempotentRequest",
    "Invitation",
    "Membership",
    "Merchant",
    "MerchantFigures",
    "Operation",
    "Scope",
    "Usage",
    "User",
    "UserManager",
]

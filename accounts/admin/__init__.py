"""The admin's pages of users, merchants, API keys, operations and the audit trail."""

from accounts.admin import keys, merchants, records, users

__all__ = ["keys", "merchants", "records", "users"]

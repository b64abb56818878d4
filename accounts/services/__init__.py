"""What changes accounts: the audit trail, API keys, merchants' settings and people's passwords."""

from accounts.services.audit import event_of, record
from accounts.services.keys import create_api_key, note_use_of_api_key, revoke_api_key, rotate_api_key
from accounts.services.merchants import set_images_for_training
from accounts.services.people import change_password

__all__ = [
    "change_password",
    "create_api_key",
    "event_of",
    "note_use_of_api_key",
    "record",
    "revoke_api_key",
    "rotate_api_key",
    "set_images_for_training",
]

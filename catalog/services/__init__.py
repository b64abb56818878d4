"""What changes products: one function an operation, the only writers beside catalog.intake.

Each locks the product first, then reads everything anew, and leaves one line in the audit trail.
"""

from catalog.services.decisions import (
    LEAVE_OPEN,
    NOT_APPLICABLE,
    choose_row,
    decide,
    decide_not_applicable,
    save_review,
    withdraw,
)
from catalog.services.deletion import delete_image, delete_product
from catalog.services.products import (
    archive_image,
    clean_name,
    clean_sku,
    create_product,
    discard_draft,
    update_product,
)
from catalog.services.proposals import mark_classifying, write_proposal
from catalog.services.status import archive, publish, restore, unpublish
from catalog.services.writing import lock_product

__all__ = [
    "LEAVE_OPEN",
    "NOT_APPLICABLE",
    "archive",
    "archive_image",
    "choose_row",
    "clean_name",
    "clean_sku",
    "create_product",
    "decide",
    "decide_not_applicable",
    "delete_image",
    "delete_product",
    "discard_draft",
    "lock_product",
    "mark_classifying",
    "publish",
    "restore",
    "save_review",
    "unpublish",
    "update_product",
    "withdraw",
    "write_proposal",
]

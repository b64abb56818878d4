"""What changes products: one function an operation, the only writers beside catalog.services.uploads.

Each locks the product first, then reads everything again, and leaves one line in the audit trail.
"""

from catalog.services.decisions import accept, choose_top_category, decide, decide_not_applicable, withdraw
from catalog.services.deletion import delete_image, delete_product
from catalog.services.products import (
    archive_image,
    check_new_product,
    check_sku_free,
    clean_name,
    clean_sku,
    create_product,
    reorder_images,
    update_product,
)
from catalog.services.proposals import mark_classifying, write_proposal
from catalog.services.review import LEAVE_OPEN, NO_GARMENT, NOT_APPLICABLE, TAKE_BACK, save_review
from catalog.services.status import archive, publish, restore, unpublish
from catalog.services.undo import ProductState, put_back, state_of
from catalog.services.writing import audit, lock_product, locked_for, locked_image

__all__ = [
    "LEAVE_OPEN",
    "NOT_APPLICABLE",
    "NO_GARMENT",
    "TAKE_BACK",
    "ProductState",
    "accept",
    "archive",
    "archive_image",
    "audit",
    "check_new_product",
    "check_sku_free",
    "choose_top_category",
    "clean_name",
    "clean_sku",
    "create_product",
    "decide",
    "decide_not_applicable",
    "delete_image",
    "delete_product",
    "lock_product",
    "locked_for",
    "locked_image",
    "mark_classifying",
    "publish",
    "put_back",
    "reorder_images",
    "restore",
    "save_review",
    "state_of",
    "unpublish",
    "update_product",
    "withdraw",
    "write_proposal",
]

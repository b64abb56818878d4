"""Products, their images, the taxonomy, and what people and models said of them.

Two tables point to the classifier's by name. Its types are imported for type checking only: imports run one way.
"""

from catalog.models.bulk import BulkChange
from catalog.models.decision import Decision, ProductAttribute
from catalog.models.draft import DraftImage, UploadDraft
from catalog.models.fetched import FetchedImage
from catalog.models.files import PendingFile
from catalog.models.image import FILES, ProductImage, ProductImageQuerySet
from catalog.models.imports import ImportFile, ImportLine, ProductImport
from catalog.models.mapping import MappingEntry, TaxonomyMapping
from catalog.models.product import Product, ProductQuerySet, ProductTerm
from catalog.models.review_claim import ReviewClaim
from catalog.models.saved_view import SavedView
from catalog.models.taxonomy import CATEGORY, MATERIAL, SLEEVE_LENGTH, Attribute, AttributeValue, Named

__all__ = [
    "CATEGORY",
    "FILES",
    "MATERIAL",
    "SLEEVE_LENGTH",
    "Attribute",
    "AttributeValue",
    "BulkChange",
    "Decision",
    "DraftImage",
    "FetchedImage",
    "ImportFile",
    "ImportLine",
    "MappingEntry",
    "Named",
    "PendingFile",
    "Product",
    "ProductAttribute",
    "ProductImage",
    "ProductImageQuerySet",
    "ProductImport",
    "ProductQuerySet",
    "ProductTerm",
    "ReviewClaim",
    "SavedView",
    "TaxonomyMapping",
    "UploadDraft",
]

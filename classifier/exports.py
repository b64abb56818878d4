"""Products that people decided on, as a data set: the images, a garment's box in each, and the values.

What is exported is what people say, never what a model says: a value counts only where the decision in effect was
made by a person, who confirmed or corrected just that. Merchants that have not agreed are left out. The images are the
display copies, which carry no EXIF data, under random names; who decided is a pseudonym.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.core.files.storage import Storage, default_storage
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import record
from catalog.models import AttributeValue, Decision, Product, ProductAttribute, ProductImage
from catalog.selectors import Taxonomy, decided_by_people
from classifier.exported_boxes import BOX_COLUMNS, box_row, garment_of, is_drawn, levels_of
from classifier.models import Garment, ModelVersion, Prediction
from classifier.registry import class_mapping
from core.db import atomic
from core.errors import Forbidden, Invalid
from vision.training.dataset import ATTRIBUTES, COLUMNS, TAXONOMY
from vision.training.files import atomic_path, write_csv, write_json
from vision.training.layout import REJECT_COLUMNS
from vision.training.source import split_of

PRODUCTS_AT_A_TIME = 200
ERASED = "erased"

State = ProductAttribute.State


@dataclass(frozen=True, slots=True)
class Selection:
    """Which decisions are exported; an empty sequence or None means all. `until` itself is not included."""

    merchants: Sequence[Merchant] = ()
    attributes: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def open_merchants(self) -> QuerySet[Merchant]:
        """Open merchants, whether they agreed or not."""
        merchants = Merchant.objects.filter(is_active=True)
        return merchants.filter(pk__in=[merchant.pk for merchant in self.merchants]) if self.merchants else merchants

    def decided(self) -> QuerySet[ProductAttribute]:
        """Values that people stand for, in merchants that agreed."""
        found = decided_by_people().filter(
            product__merchant__in=self.open_merchants().filter(images_for_training=True), attribute__active=True
        )
        if self.attributes:
            found = found.filter(attribute__code__in=self.attributes)
        if self.since is not None:
            found = found.filter(decision__created_at__gte=self.since)
        if self.until is not None:
            found = found.filter(decision__created_at__lt=self.until)
        return found


@dataclass(slots=True)
class Summary:
    """What was exported, and what was not."""

    products: int = 0
    images: int = 0
    refusing: list[str] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _ExportedImage:
    """An image of a product with the garment that the product is; `alone` if nothing else was found in it.

    `drawn`: all that people drew in it.
    """

    image: ProductImage
    garment: Garment
    alone: bool
    drawn: Sequence[Garment]


def export_dataset(
    *,
    actor: Actor,
    folder: Path,
    selection: Selection,
    val_share: float,
    trusts_boxes: bool = False,
    progress: Callable[[int, int, int], None] = lambda done, total, rejected: None,
    storage: Storage = default_storage,
) -> Summary:
    """Write labels.csv, taxonomy.json, rejects.csv and images/ into a new folder.

    Args:
        actor: the system, or staff over all merchants.
        folder: does not exist yet, or is empty.
        selection: which decisions.
        val_share: share of the products whose images go to val, by hash of the product.
        trusts_boxes: whether a model's box counts as good where it is the only one in its image. Boxes that
            people drew always do.
        progress: is told how many products are done, how many there are, and how many images were left out.
        storage: where images are.

    Raises:
        Forbidden: the actor sees only one merchant.
        Invalid: `unknown_attribute`; `nothing_decided`, and then nothing is written; or `folder_not_empty`: files of an
            earlier export must not outlive a consent.
    """
    if not actor.sees_all_merchants:
        raise Forbidden("forbidden", _("Only administrators may export data sets."))
    if folder.exists() and any(folder.iterdir()):
        raise Invalid("folder_not_empty", _("%(folder)s holds files. Choose a new folder."), {"folder": str(folder)})
    taxonomy = Taxonomy.load()
    for code in selection.attributes:
        if code not in taxonomy.attributes:
            raise Invalid("unknown_attribute", _("There is no attribute “%(code)s”."), {"code": code})
    export = _Export(folder, selection, taxonomy, val_share, trusts_boxes, storage)
    export.require_products()
    _audit(actor, selection)
    export.run(progress)
    return export.summary


@atomic
def _audit(actor: Actor, selection: Selection) -> None:
    """Note in each merchant's trail that its images are about to be exported."""
    for merchant in selection.open_merchants().filter(images_for_training=True):
        record(
            actor=actor,
            action="merchant.export_dataset",
            subject_type="merchant",
            subject_id=merchant.public_id,
            merchant_id=merchant.pk,
            attributes=list(selection.attributes),
            since=selection.since.isoformat() if selection.since else None,
            until=selection.until.isoformat() if selection.until else None,
        )


class _Export:
    """One export on its way."""

    def __init__(
        self,
        folder: Path,
        selection: Selection,
        taxonomy: Taxonomy,
        val_share: float,
        trusts_boxes: bool,
        storage: Storage,
    ) -> None:
        self.summary = Summary(
            refusing=[merchant.name for merchant in selection.open_merchants().filter(images_for_training=False)]
        )
        self._folder = folder
        self._decided = selection.decided()
        self._taxonomy = taxonomy
        self._val_share = val_share
        self._trusts_boxes = trusts_boxes
        self._storage = storage
        self._attributes = [
            code for code in taxonomy.attributes if code in (selection.attributes or taxonomy.attributes)
        ]
        self._rejects: list[tuple[str, str, str]] = []
        self._boxes: list[list[str]] = []
        # A set's image may belong to two products. It must not be learnt from and measured on.
        self._in_val: set[str] = set()

    def require_products(self) -> None:
        """Raise Invalid where the folder would stay empty; who has not agreed is named, since that may be why."""
        if self._products().exists():
            return
        if not self.summary.refusing:
            raise Invalid("nothing_decided", _("Nothing to export: nobody decided anything that matches."))
        sentence = _(
            "Nothing to export: nobody decided anything that matches in a shop whose photos may train models. "
            "These have not agreed: %(merchants)s. The switch “photos may train models” is on the merchant's page in "
            "the admin."
        )
        raise Invalid("nothing_decided", sentence, {"merchants": ", ".join(self.summary.refusing)})

    def run(self, progress: Callable[[int, int, int], None]) -> None:
        """Write everything; the tables last."""
        (self._folder / "images").mkdir(parents=True, exist_ok=True)
        products = list(self._products().order_by("pk").values_list("pk", flat=True))
        self._in_val = {
            sha256
            for public_id, sha256 in ProductImage.objects.current()
            .filter(product__in=self._products())
            .values_list("product__public_id", "sha256")
            if split_of(public_id, self._val_share) == "val"
        }
        rows: list[list[str]] = []
        for start in range(0, len(products), PRODUCTS_AT_A_TIME):
            ids = products[start : start + PRODUCTS_AT_A_TIME]
            rows += self._chunk(ids)
            progress(start + len(ids), len(products), len(self._rejects))
        write_json(self._folder / TAXONOMY, class_mapping.described(self._taxonomy))
        write_csv(self._folder / "labels.csv", self._columns(), rows)
        write_csv(self._folder / "rejects.csv", REJECT_COLUMNS, self._rejects)
        write_csv(self._folder / "boxes.csv", BOX_COLUMNS, self._boxes)
        self.summary.images = len(rows)
        self.summary.rejected = Counter(reason for _file, reason, _detail in self._rejects)

    def _products(self) -> QuerySet[Product]:
        """Products with at least one value that a person set."""
        with_value = self._decided.filter(state=State.DECIDED)
        return Product.objects.filter(pk__in=with_value.values("product_id"))

    def _columns(self) -> list[str]:
        further = [code for code in self._attributes if code not in ATTRIBUTES]
        told = [f"{code}_{what}" for code in self._attributes for what in ("by", "predicted", "model", "model_wrong")]
        return [*COLUMNS, *further, "product", "merchant", *told]

    def _chunk(self, ids: Sequence[int]) -> Iterator[list[str]]:
        products = Product.objects.filter(pk__in=ids).select_related("merchant", "top_category").order_by("pk")
        decided: dict[int, dict[str, ProductAttribute]] = defaultdict(dict)
        answered = ("attribute", "value", "decision__proposed_value", "decision__proposed_by")
        for value in self._decided.filter(product__in=ids).select_related(*answered):
            decided[value.product_id][value.attribute.code] = value
        images = self._images(list(products))
        predictions = _predictions([found.garment.pk for group in images.values() for found in group])
        for product in products:
            if not decided[product.pk]:  # withdrawn, or its merchant refuses, since the export began
                continue
            exported = 0
            for found in images[product.pk]:
                if self._copy(product, found.image):
                    self._boxes += [
                        box_row(_file_name(found.image), product.public_id, garment) for garment in found.drawn
                    ]
                    yield self._row(product, found, decided[product.pk], predictions[found.garment.pk])
                    exported += 1
            self.summary.products += exported > 0

    def _images(self, products: Sequence[Product]) -> dict[int, list[_ExportedImage]]:
        """The images of each product in which its garment was found; the others are rejected."""
        images = ProductImage.objects.current().filter(product__in=products)
        garments: dict[int, list[Garment]] = defaultdict(list)
        for garment in (
            Garment.objects.shown().filter(image__in=list(images)).select_related("top_category").order_by("pk")
        ):
            garments[garment.image_id].append(garment)
        levels = levels_of([garment for found in garments.values() for garment in found], self._taxonomy)
        of_product: dict[int, list[ProductImage]] = defaultdict(list)
        for image in images:
            of_product[image.product_id].append(image)
        found: dict[int, list[_ExportedImage]] = defaultdict(list)
        for product in products:
            speaking = set(product.candidate.garments) if product.candidate else set()
            for image in of_product[product.pk]:
                seen = garments[image.pk]
                chosen = garment_of(seen, speaking, levels, product.top_category_id)
                drawn = [garment for garment in seen if is_drawn(garment)]
                if chosen is None:
                    self._reject(image, "no_garment_box", f"{len(seen)} garments found")
                else:
                    found[product.pk].append(_ExportedImage(image, chosen, len(seen) == 1, drawn))
        return found

    def _copy(self, product: Product, image: ProductImage) -> bool:
        """Copy the display copy; says whether the image can be used."""
        if split_of(product.public_id, self._val_share) == "train" and image.sha256 in self._in_val:
            self._reject(image, "in_both_splits", "another product has the same image in val")
            return False
        try:
            with (
                self._storage.open(str(image.display)) as source,
                atomic_path(self._folder / "images" / _file_name(image)) as temporary,
                temporary.open("wb") as target,
            ):
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            self._reject(image, "no_image", "its file is missing")
            return False
        return True

    def _row(
        self,
        product: Product,
        found: _ExportedImage,
        decided: dict[str, ProductAttribute],
        predictions: dict[str, Prediction],
    ) -> list[str]:
        labels = {code: self._label(value) for code, value in decided.items()}
        box_ok = is_drawn(found.garment) or (self._trusts_boxes and found.alone)
        garment = found.garment
        row = [_file_name(found.image), split_of(product.public_id, self._val_share), product.public_id]
        row += [labels.get(code, "") for code in ATTRIBUTES]
        row += [f"{edge:.5f}" for edge in (garment.x1, garment.y1, garment.x2, garment.y2)]
        row += [str(int(box_ok))]
        row += [labels.get(code, "") for code in self._attributes if code not in ATTRIBUTES]
        row += [product.public_id, product.merchant.public_id]
        for code in self._attributes:
            row += self._told(code, decided.get(code), predictions.get(code))
        return row

    def _label(self, value: ProductAttribute) -> str:
        """The code today; '' for "not applicable" and for a value that was switched off."""
        resolved = self._taxonomy.resolve(value.attribute.code, value.value.code) if value.value else None
        return resolved.code if resolved else ""

    def _told(self, code: str, value: ProductAttribute | None, prediction: Prediction | None) -> list[str]:
        """Who decided, what which model had said, and whether the person says otherwise.

        What had said something is what the person answered. Only where nobody decided, or nothing was proposed then, it
        is what holds of this image's garment today.
        """
        decision = value.decision if value is not None else None
        by = pseudonym(decision) if value is not None else ""
        said: AttributeValue | None = None
        model: ModelVersion | None = None
        if decision is not None and decision.proposed_value is not None:
            said, model = decision.proposed_value, decision.proposed_by
        elif prediction is not None:
            said, model = prediction.value, prediction.model_version
        if said is None or model is None:
            return [by, "", "", ""]
        predicted = self._today(code, said)
        decided = self._today(code, value.value) if value is not None and value.value is not None else None
        wrong = str(int(predicted != decided)) if value is not None else ""
        return [by, predicted, model.name, wrong]

    def _today(self, attribute: str, value: AttributeValue) -> str:
        """The code that a value has today, switched off or not."""
        return (self._taxonomy.today(attribute, value.code) or value).code

    def _reject(self, image: ProductImage, reason: str, detail: str) -> None:
        self._rejects.append((image.public_id, reason, detail))


def pseudonym(decision: Decision | None) -> str:
    """Who decided: the same for the same person in every export, and nobody can tell who without the site's key."""
    if decision is None or decision.user_id is None:
        return ERASED
    return salted_hmac(__name__, str(decision.user_id), algorithm="sha256").hexdigest()[:16]


def _file_name(image: ProductImage) -> str:
    return image.public_id + os.path.splitext(str(image.display))[1].lower()


def _predictions(garments: Sequence[int]) -> dict[int, dict[str, Prediction]]:
    """What the models said of each garment by attribute, the latest counting."""
    found: dict[int, dict[str, Prediction]] = defaultdict(dict)
    rows = (
        Prediction.objects.counting().filter(garment__in=garments).select_related("attribute", "value", "model_version")
    )
    for prediction in rows.order_by("pk"):
        found[prediction.garment_id][prediction.attribute.code] = prediction
    return found

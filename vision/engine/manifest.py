"""The list of weight files that may be loaded, and the check that they are what the list says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import ManifestInvalid, WeightsMismatch, WeightsMissing
from .preprocess import CROP_MARGIN, Shapes
from .taxonomy import CATEGORY

GARMENT = "garment"
NOT_VISIBLE = "not_visible"
"""The class by which a model says that an image does not show an attribute; no taxonomy has it as a value."""

OVERLAP = 0.7
OVERLAP_ACROSS = 0.9
MANIFEST_NAME = "manifest.json"
TASKS = ("detect", "classify")
OUTPUTS = ("logits", "probabilities")
# Fields of a model that do not say how its files are used.
IDENTITY = ("role", "name", "files", "mirror_files", "verified", "details")
# Fields that came later: a model that leaves them at their defaults keeps the hash that it was known by.
_LATER = ("overlap", "overlap_across", "finder_weight", "outfit_temperature", "input_shapes")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file and the sha256 (lower-case hex) that it must have. `fetch` reads it where it is not on the disk."""

    path: Path
    sha256: str
    fetch: Callable[[Path], bytes] = field(default=Path.read_bytes, compare=False, repr=False)

    def read(self) -> bytes:
        """The verified content. What was hashed is what is loaded: nobody can swap the file in between.

        Raises WeightsMissing or WeightsMismatch with the file's name.
        """
        try:
            content = self.fetch(self.path)
        except OSError as error:
            raise WeightsMissing(f"The weight file {self.path.name} is missing ({error.strerror}).") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise WeightsMismatch(f"The weight file {self.path.name} is not the one that the manifest lists (sha256).")
        return content


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: its role is an attribute's code, or `garment` for the detector that finds garments.

    The classes of a `garment` detector may be top-level categories (Top, Bottom, …): then it also says how probable
    each of them is for a garment. A detector's boxes show one garment if they overlap (IoU) by more than `overlap`
    where they agree on the top-level category, by more than `overlap_across` where they do not. The category classifier
    multiplies its probabilities by the detector's for the top-level category, to the power of `finder_weight` (0: not
    at all); the detector's `temperature` sharpens or softens those.

    A network sees an image, or a garment's crop, in a square of `input_size` pixels or in one of `input_shapes`
    (height, width), whichever has the nearest proportions: grey around an image costs as much as the image.

    `files` maps a runtime to its files (openvino: graph and weights; torch: one checkpoint). `output` says what a
    classifier's network returns; both kinds get the temperature. Classifiers that list the same files share one
    network, which runs once for all of them: the outputs of each begin at its `first_output`. A `mirrored` classifier
    answers with the mean of its outputs for a crop and for its mirror image; where there are `mirror_files`, another
    network looks at the mirror image, so that two opinions cost no more than one mirrored one. A `mirrored` detector
    looks at the image and at its mirror image, and joins what it sees. Confidence is calibrated with `temperature`, and
    with `outfit_temperature` where the image shows other garments too: worn ones are harder than single ones.
    `verified` names the precisions in which the quality of the answers was measured.
    """

    role: str
    name: str
    task: str
    classes: tuple[str, ...]
    input_size: int
    files: Mapping[str, tuple[WeightFile, ...]]
    threshold: float = 0.25
    margin: float = CROP_MARGIN
    temperature: float = 1.0
    calibrated: bool = False
    output: str = "logits"
    first_output: int = 0
    mirrored: bool = False
    mirror_files: Mapping[str, tuple[WeightFile, ...]] = field(default_factory=dict)
    outfit_temperature: float | None = None
    overlap: float = OVERLAP
    overlap_across: float = OVERLAP_ACROSS
    finder_weight: float = 0.0
    input_shapes: Shapes = ()
    verified: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def networks(self, runtime: str) -> tuple[tuple[WeightFile, ...], ...]:
        """The files of each network that answers for this model; raises WeightsMissing if there are none."""
        averaged = self.mirrored and self.task == "classify"
        networks = [self.files, *([self.mirror_files or self.files] if averaged else [])]
        if not all(runtime in files for files in networks):
            raise WeightsMissing(f"The manifest lists no {runtime} file for the model {self.name}.")
        return tuple(files[runtime] for files in networks)

    @property
    def shapes(self) -> Shapes:
        """What the network may get: (height, width) in pixels, the square first."""
        return (self.input_size, self.input_size), *self.input_shapes

    @property
    def sha256(self) -> str:
        """What tells this model from others: a hash over the hashes of its numbers and over how they are used."""
        listed = [files for files in (self.files, self.mirror_files) if files]
        numbers = [files.get("openvino", files.get("torch", ()))[-1].sha256 for files in listed]
        use = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in IDENTITY and not (field.name in _LATER and getattr(self, field.name) == field.default)
        }
        return hashlib.sha256(json.dumps([numbers, use], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The models of a weights folder. `fingerprint` (sha256 of the text) changes when any of them does."""

    version: str
    models: Mapping[str, ModelSpec]
    fingerprint: str

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read `manifest.json` in `folder`. Reads no weights. Raises WeightsMissing or ManifestInvalid."""
        path = folder / MANIFEST_NAME
        try:
            text = path.read_bytes()
        except OSError as error:
            raise WeightsMissing(f"There is no {MANIFEST_NAME} in {folder} ({error.strerror}).") from error
        try:
            data = json.loads(text)
            models = {role: _parse_model(role, item, folder) for role, item in data["models"].items()}
            version = str(data["version"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestInvalid(f"{path} cannot be understood: {error!r}.") from error
        manifest = cls(version, models, hashlib.sha256(text).hexdigest())
        if manifest.finder.task != "detect":
            raise ManifestInvalid(f"{path} has no model that finds garments: {GARMENT}, or {CATEGORY} as a detector.")
        return manifest

    @property
    def finder(self) -> ModelSpec:
        """The detector whose boxes are the garments: `garment`, else the category detector of the original kind."""
        spec = self.models.get(GARMENT) or self.models.get(CATEGORY)
        if spec is None:
            raise ManifestInvalid(f"The manifest has neither a {GARMENT} nor a {CATEGORY} model.")
        return spec

    @property
    def attributes(self) -> tuple[ModelSpec, ...]:
        """The models that say something about a garment, category first: others depend on its top-level category."""
        specs = [spec for role, spec in self.models.items() if role != GARMENT]
        return tuple(sorted(specs, key=lambda spec: spec.role != CATEGORY))


def _parse_model(role: str, item: Mapping[str, Any], folder: Path) -> ModelSpec:
    spec = ModelSpec(
        role=role,
        name=str(item["name"]),
        task=str(item["task"]),
        classes=tuple(str(name) for name in item["classes"]),
        input_size=int(item["input_size"]),
        files={runtime: _parse_files(entry, folder) for runtime, entry in item["files"].items()},
        threshold=float(item.get("threshold", 0.25)),
        margin=float(item.get("margin", CROP_MARGIN)),
        temperature=float(item.get("temperature", 1.0)),
        calibrated=item["task"] == "classify" and bool(item.get("calibrated", False)),
        output=str(item.get("output", "logits")),
        first_output=int(item.get("first_output", 0)),
        mirrored=bool(item.get("mirrored", False)),
        mirror_files={runtime: _parse_files(entry, folder) for runtime, entry in item.get("mirror_files", {}).items()},
        outfit_temperature=float(item["outfit_temperature"]) if "outfit_temperature" in item else None,
        overlap=float(item.get("overlap", OVERLAP)),
        overlap_across=float(item.get("overlap_across", OVERLAP_ACROSS)),
        finder_weight=float(item.get("finder_weight", 0.0)),
        input_shapes=tuple((int(height), int(width)) for height, width in item.get("input_shapes", ())),
        verified=tuple(str(precision) for precision in item.get("verified", ())),
        details={key: item[key] for key in ("architecture", "metrics", "data", "licence", "card") if key in item},
    )
    if spec.task not in TASKS or spec.output not in OUTPUTS:
        raise ValueError(f"{role}: unknown task or output")
    if not spec.classes or spec.input_size <= 0 or spec.temperature <= 0:
        raise ValueError(f"{role}: classes, input_size and temperature must not be empty or zero")
    if min(min(shape) for shape in spec.shapes) <= 0:
        raise ValueError(f"{role}: input_shapes are heights and widths above zero")
    if not (0 < spec.overlap <= 1 and 0 < spec.overlap_across <= 1 and spec.finder_weight >= 0):
        raise ValueError(f"{role}: overlap and overlap_across are in 0..1, finder_weight is not negative")
    return spec


def _parse_files(entry: Mapping[str, str], folder: Path) -> tuple[WeightFile, ...]:
    listed = [(entry["path"], entry["sha256"])]
    if "weights" in entry:
        listed.append((entry["weights"], entry["weights_sha256"]))
    for name, _ in listed:
        if Path(name).name != name:
            raise ValueError(f"{name!r} is not a plain file name")
    return tuple(WeightFile(folder / name, sha256.lower()) for name, sha256 in listed)

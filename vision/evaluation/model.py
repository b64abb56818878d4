"""Opening whatever is to be measured: a weights folder, a run's folder, a checkpoint, or what is loaded already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision.engine.checkpoint import load_checkpoint, task_of, trained_size
from vision.engine.crop_classifier import CropClassifier
from vision.engine.detector import Detector, top_categories
from vision.engine.engine import Engine
from vision.engine.manifest import GARMENT, MANIFEST_NAME, NOT_VISIBLE, ModelSpec
from vision.engine.preprocess import written
from vision.engine.runtime import MirroredNetwork, Network, TorchNetwork
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.evaluation.detection import detection_rows
from vision.evaluation.readings import Reading, read_probabilities, read_with_detector, read_with_engine
from vision.evaluation.validation import crop_outputs
from vision.training.classifier_options import DEFAULTS
from vision.training.dataset import Dataset, LabelledImage
from vision.training.run import DESCRIPTION, METRICS, Run, RunError

PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Model:
    """Something that says what is in images. `kind` is "pipeline", "detect" or "classify".

    `detectors` are its detectors by role, each with its network and the values that its classes stand for.
    """

    name: str
    kind: str
    parts: dict[str, dict[str, Any]]
    read: Callable[[Sequence[LabelledImage]], list[Reading]]
    detectors: dict[str, tuple[ModelSpec, Network, list[str]]]

    @property
    def finds_garments(self) -> bool:
        """Whether it looks at whole images; a classifier alone gets the true boxes."""
        return self.kind != "classify"

    def images(self, dataset: Dataset, split: str) -> list[LabelledImage]:
        """What it can be measured on: all of the split, for a classifier the garments with a label."""
        return dataset.select(split, None if self.finds_garments else next(iter(self.parts)))

    def detection(self, role: str, images: Sequence[LabelledImage], taxonomy: Taxonomy) -> list[dict[str, Any]]:
        """Precision, recall and average precision of one of its detectors, see `detection_rows`."""
        spec, network, codes = self.detectors[role]
        return detection_rows(network, spec.input_size, role, codes, images, taxonomy)


def open_model(
    path: Path,
    *,
    role: str | None = None,
    image_size: int | None = None,
    runtime: str = "openvino",
    taxonomy: Taxonomy | None = None,
) -> Model:
    """Open what `path` holds.

    For a checkpoint that is in no run's folder, `role` is what its classes are values of (by default found out from
    their names) and `image_size` the side of its input in pixels (by default what it was trained at). `runtime` serves
    the networks of a weights folder. `taxonomy`, by default the project's, says what classes mean. Raises RunError if
    it is nothing of the kind or says too little about itself, WeightsError if its files cannot be used.
    """
    taxonomy = taxonomy or Taxonomy.load()
    if (path / MANIFEST_NAME).is_file():
        return of_engine(path.resolve().name, Engine.load(path, runtime=runtime, taxonomy=taxonomy), taxonomy)
    if (path / DESCRIPTION).is_file():
        return _open_run(path.resolve().name, Run.load(path), taxonomy)
    if not path.is_file():
        raise RunError(f"{path} is neither a weights folder, nor a run's folder, nor a checkpoint.")
    if (path.parent / DESCRIPTION).is_file() and Run.load(path.parent).weights == path:
        return _open_run(path.resolve().parent.name, Run.load(path.parent), taxonomy)
    return _open_checkpoint(path, role, image_size, taxonomy)


def distinct(models: Sequence[Model]) -> list[Model]:
    """The models with names that tell them apart: the second of a name gets a number."""
    seen: Counter[str] = Counter()
    named = []
    for model in models:
        seen[model.name] += 1
        count = seen[model.name]
        named.append(model if count == 1 else replace(model, name=f"{model.name}-{count}"))
    return named


def of_engine(name: str, engine: Engine, taxonomy: Taxonomy) -> Model:
    """A whole pipeline; `taxonomy` says what the labels and the detectors' classes mean."""
    specs = engine.manifest.models
    return Model(
        name=name,
        kind=PIPELINE,
        parts={role: _part(spec) for role, spec in specs.items()},
        read=lambda images: read_with_engine(engine, images),
        detectors={
            role: (spec, engine.networks[role], _codes(spec, taxonomy))
            for role, spec in specs.items()
            if spec.task == "detect"
        },
    )


def _open_run(name: str, run: Run, taxonomy: Taxonomy) -> Model:
    if run.role in DEFAULTS:
        raise RunError(
            f"The run {run.folder} is not of one model that serves: see its {METRICS}, or name one of its folders."
        )
    if not run.weights.is_file():
        raise RunError(f"The run {run.folder} has no weights yet.")
    (size, _), *narrow = run.shapes
    spec = ModelSpec(run.role, run.name, run.task, tuple(run.classes), size, {}, input_shapes=tuple(narrow))
    if run.finished:
        metrics = run.metrics()
        if run.task == "detect":
            spec = replace(spec, threshold=metrics["val"]["threshold"])
        else:
            spec = replace(spec, temperature=metrics["calibration"]["temperature"])
    return of_network(name, spec, _torch_network(run.weights.read_bytes(), run.task), taxonomy)


def _open_checkpoint(path: Path, role: str | None, image_size: int | None, taxonomy: Taxonomy) -> Model:
    checkpoint = path.read_bytes()
    content, network = load_checkpoint(checkpoint)
    module: Any = network
    task = task_of(module)
    if task is None:
        raise RunError(f"{path} is neither a detector nor a classifier.")
    classes = tuple(str(module.names[index]) for index in range(len(module.names)))
    size = image_size or trained_size(content, module)
    if size is None:
        raise RunError(f"{path} does not say at which input size it was trained: give --image-size.")
    spec = ModelSpec(role or _role_of(path, classes, taxonomy), path.stem, task, classes, size, {})
    return of_network(path.stem, spec, _torch_network(checkpoint, task), taxonomy)


def _torch_network(checkpoint: bytes, task: str) -> Network:
    network = TorchNetwork(checkpoint, task=task)
    return MirroredNetwork(network, network) if task == "classify" else network


def _role_of(path: Path, classes: Sequence[str], taxonomy: Taxonomy) -> str:
    """The attribute that has all these names, as codes or aliases; `garment` for top-level categories."""
    category = taxonomy.attributes.get(CATEGORY)
    levels = [category is not None and category.find_top_level(name) for name in classes]
    if list(classes) == [GARMENT] or (len(classes) > 1 and all(levels)):
        return GARMENT
    values = [name for name in classes if name != NOT_VISIBLE]
    fitting = [item.code for item in taxonomy.attributes.values() if all(map(item.find, values))]
    if len(fitting) != 1:
        raise RunError(f"{path}: its classes are not the values of one attribute: give --role.")
    return fitting[0]


def _codes(spec: ModelSpec, taxonomy: Taxonomy) -> list[str]:
    """What the classes stand for; those of a detector of garments for top-level categories, or for any garment."""
    if spec.role == GARMENT:
        return list(top_categories(spec, taxonomy)) or [GARMENT] * len(spec.classes)
    return [taxonomy.code_of(spec.role, name) for name in spec.classes]


def of_network(name: str, spec: ModelSpec, network: Network, taxonomy: Taxonomy) -> Model:
    """A single model: a detector is shown whole images, a classifier the garments in the true boxes."""
    role = spec.role
    codes = _codes(spec, taxonomy)
    parts = {role: _part(spec)}
    if spec.task == "detect":
        detector = Detector(spec, network, taxonomy)

        def detect(images: Sequence[LabelledImage]) -> list[Reading]:
            return read_with_detector(detector, images, codes)

        return Model(name, spec.task, parts, detect, {role: (spec, network, codes)})
    classifier = CropClassifier(spec, network)

    def classify(images: Sequence[LabelledImage]) -> list[Reading]:
        probabilities = classifier.probabilities(crop_outputs(images, classifier))
        return read_probabilities(images, role, codes, probabilities)

    return Model(name, spec.task, parts, classify, {})


def _part(spec: ModelSpec) -> dict[str, Any]:
    """What a report says about one network, as evaluation.json holds it."""
    return {
        "name": spec.name,
        "task": spec.task,
        "input": written(spec.shapes),
        "classes": len(spec.classes),
        **({"threshold": spec.threshold} if spec.task == "detect" else {"temperature": spec.temperature}),
    }

"""From rows of the registry to a loaded engine. Only workers and commands call this: it loads networks."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from catalog.selectors import Taxonomy
from catalog.upload_validation import image_limits
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.registry import class_mapping, model_sets, weight_files
from vision.engine import Engine, Manifest, ModelSpec, Network, WeightFile, WeightsMissing, load_networks
from vision.engine.precision import OPENVINO, choose, described, shortfalls

logger = logging.getLogger(__name__)

RUNTIME = OPENVINO
KEPT_SETS = 2
"""Sets whose networks stay loaded: the active one, and a candidate that is tried beside it."""

_Key = tuple[str, tuple[object, ...]]

_networks: dict[_Key, dict[str, Network]] = {}
_checked: set[str] = set()  # shipped sets whose files this process has seen in the storage
_lock = threading.Lock()


@dataclass(frozen=True)
class Serving:
    """A set as a worker serves it: the engine, the set's id, and the ids of its versions by role."""

    engine: Engine
    model_set_id: int
    versions: Mapping[str, int]


def active(taxonomy: Taxonomy) -> Serving:
    """The active set; the shipped one takes that place if there was none. Raises WeightsError."""
    model_sets.register_shipped(_checked)
    deployment = Deployment.objects.select_related("active").get()
    return of_set(deployment.active, taxonomy)


def of_set(model_set: ModelSet, taxonomy: Taxonomy) -> Serving:
    """Any set. Raises WeightsError if a file is missing or is not the one that was registered."""
    versions = {version.role: version for version in model_set.versions.all()}
    engine = load_engine(model_set, versions, taxonomy)
    return Serving(engine, model_set.pk, {role: version.pk for role, version in versions.items()})


def of_version(version: ModelVersion) -> tuple[ModelSpec, Network]:
    """One version alone, with its network. Raises WeightsError as `of_set` does."""
    spec = _spec(version)
    specs = {spec.role: spec}
    return spec, load_networks(specs, RUNTIME, choose(specs, settings.PRECISION))[spec.role]


def precisions_of(model_set: ModelSet) -> dict[str, str]:
    """In which precision a worker on this machine would compute each role of a set, by what was verified.

    Raises:
        WeightsMissing: the files of a version are not in the registry.
    """
    specs = {version.role: _spec(version) for version in model_set.versions.all()}
    return choose(specs, settings.PRECISION)


def load_engine(model_set: ModelSet, versions: Mapping[str, ModelVersion], taxonomy: Taxonomy) -> Engine:
    """An engine over the set's networks, which are loaded once and kept while the set is in use."""
    specs = {role: _spec(version) for role, version in versions.items()}
    precisions = choose(specs, settings.PRECISION)
    # A set may get the files of further precisions later.
    key = (model_set.fingerprint, tuple((role, precisions[role], *spec.files) for role, spec in sorted(specs.items())))
    with _lock:
        networks = _networks.pop(key, None) or _load(model_set, specs, precisions)
        _networks[key] = networks
        while len(_networks) > KEPT_SETS:
            del _networks[next(iter(_networks))]
    return Engine(
        Manifest(model_set.name, specs, model_set.fingerprint),
        networks,
        taxonomy=class_mapping.vocabulary(taxonomy),
        max_pixels=image_limits(),
        precisions=precisions,
    )


def _load(model_set: ModelSet, specs: Mapping[str, ModelSpec], precisions: Mapping[str, str]) -> dict[str, Network]:
    networks = load_networks(specs, RUNTIME, precisions)
    logger.info("the networks of %s compute in %s", model_set, described(precisions))
    for shortfall in shortfalls(specs, settings.PRECISION):
        logger.warning("PRECISION=%s, %s: %s", settings.PRECISION, model_set, shortfall)
    return networks


def _spec(version: ModelVersion) -> ModelSpec:
    if not version.serving:
        raise WeightsMissing(f"The files of the model {version.name} are not in the registry.")
    serving: dict[str, Any] = dict(version.serving)
    files: dict[str, dict[str, tuple[WeightFile, ...]]] = defaultdict(dict)
    for name, (field, runtime) in weight_files.LISTS.items():
        if listed := serving.pop(name, ()):
            files[field][runtime] = tuple(map(weight_files.stored, listed))
    return ModelSpec(
        role=version.role,
        name=version.name,
        task=version.task,
        # Shipped classes that the taxonomy lacks keep their names; what they say is then left out.
        classes=tuple(version.mapping.get(name, name) for name in version.classes),
        input_size=version.input_size,
        calibrated=version.calibrated,
        verified=tuple(serving.pop("verified", ())),
        input_shapes=tuple((height, width) for height, width in serving.pop("input_shapes", ())),
        files=files["files"],
        mirror_files=files["mirror_files"],
        **serving,
    )

"""From rows of the registry to a loaded engine. Only workers and commands call this: it loads networks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.selectors import Taxonomy
from catalog.upload_validation import image_limits
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.registry import class_mapping, model_sets, weight_files
from vision.engine import Engine, Manifest, ModelSpec, Network, WeightsMissing, load_networks

RUNTIME = "openvino"
KEPT_SETS = 2
"""Sets whose networks stay loaded: the active one, and a candidate that is tried beside it."""

_networks: dict[str, dict[str, Network]] = {}
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
    return spec, load_networks({spec.role: spec}, RUNTIME)[spec.role]


def load_engine(model_set: ModelSet, versions: Mapping[str, ModelVersion], taxonomy: Taxonomy) -> Engine:
    """An engine over the set's networks, which are loaded once and kept while the set is in use."""
    specs = {role: _spec(version) for role, version in versions.items()}
    with _lock:
        networks = _networks.pop(model_set.fingerprint, None) or load_networks(specs, RUNTIME)
        _networks[model_set.fingerprint] = networks
        while len(_networks) > KEPT_SETS:
            del _networks[next(iter(_networks))]
    return Engine(
        Manifest(model_set.name, specs, model_set.fingerprint),
        networks,
        taxonomy=class_mapping.vocabulary(taxonomy),
        max_pixels=image_limits(),
    )


def _spec(version: ModelVersion) -> ModelSpec:
    if not version.serving:
        raise WeightsMissing(f"The files of the model {version.name} are not in the registry.")
    serving: dict[str, Any] = dict(version.serving)
    files = {name: tuple(map(weight_files.stored, serving.pop(name, ()))) for name in ("files", "mirror_files")}
    return ModelSpec(
        role=version.role,
        name=version.name,
        task=version.task,
        # Shipped classes that the taxonomy lacks keep their names; what they say is then left out.
        classes=tuple(version.mapping.get(name, name) for name in version.classes),
        input_size=version.input_size,
        calibrated=version.calibrated,
        files={RUNTIME: files["files"]},
        mirror_files={RUNTIME: files["mirror_files"]} if files["mirror_files"] else {},
        **serving,
    )

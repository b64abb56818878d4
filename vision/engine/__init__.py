"""Images in, garments out. Knows no Django; torch and openvino are imported when a runtime is asked for.

    engine = Engine.load(Path("weights"), runtime="openvino")
    image = engine.classify(data_or_path)                    # raises DecodeError
    for result in engine.classify_many(sources):                  # ImageResult | DecodeError, in order, streaming
        ...

`ImageResult(width, height, garments, models, timings)`: garments by falling confidence, possibly none; `models` maps
roles to model names; `timings` are milliseconds for decode, detect and classify; `as_dict()` is ready for JSON.
`Garment(box, confidence, model, attributes, hidden, top_category)`: box as fractions of the upright image; `attributes`
maps an attribute's code to an `AttributeResult` or None (does not apply, cannot be seen, or no model said anything);
`hidden` lists what cannot be seen; `top_category` is what a detector of top-level categories says.
`AttributeResult(value, confidence, alternatives, calibrated, model, parent)`: taxonomy codes.
`Given(boxes, only)` gives the boxes of garments that are known already, such as `GivenBox(box, top_category)`; an
`ImageResult.given` describes them in their order.
`DecodeError(code, message)`; `WeightsMissing`, `WeightsMismatch` and `ManifestInvalid` are `WeightsError`s.
`Taxonomy.parse(data)` takes a vocabulary from elsewhere than the project's file, for `Engine.load(taxonomy=...)`.

Timing the networks alone: `engine.networks[role].infer(batch)` with float32 (n, 3, size, size), size being
`engine.manifest.models[role].input_size`.
"""

from __future__ import annotations

from .decode import decode
from .engine import BATCH, Engine
from .errors import DecodeError, EngineError, ManifestInvalid, WeightsError, WeightsMismatch, WeightsMissing
from .manifest import Manifest, ModelSpec, WeightFile
from .precision import CHOICES, PrecisionUnavailable
from .results import Alternative, AttributeResult, Box, Garment, Given, GivenBox, ImageResult
from .runtime import LANES, RUNTIMES, THREADS, Network, load_networks
from .taxonomy import Taxonomy

__all__ = [
    "BATCH",
    "CHOICES",
    "LANES",
    "RUNTIMES",
    "THREADS",
    "Alternative",
    "AttributeResult",
    "Box",
    "DecodeError",
    "Engine",
    "EngineError",
    "Garment",
    "Given",
    "GivenBox",
    "ImageResult",
    "Manifest",
    "ManifestInvalid",
    "ModelSpec",
    "Network",
    "PrecisionUnavailable",
    "Taxonomy",
    "WeightFile",
    "WeightsError",
    "WeightsMismatch",
    "WeightsMissing",
    "decode",
    "load_networks",
]

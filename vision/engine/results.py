"""What the engine found, as plain immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 as fractions of the upright image."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A next best value; the confidences of a value and its alternatives sum to at most 1."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class AttributeResult:
    """One attribute of one garment. `calibrated` is false for a detector's class score, which has no alternatives."""

    value: str
    confidence: float
    alternatives: tuple[Alternative, ...]
    calibrated: bool
    model: str
    parent: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON: `parent` only where the value has one, `calibrated` only where it is false."""
        result: dict[str, Any] = {"value": self.value}
        if self.parent is not None:
            result["parent"] = self.parent
        result["confidence"] = round(self.confidence, 4)
        result["alternatives"] = [{"value": a.value, "confidence": round(a.confidence, 4)} for a in self.alternatives]
        if not self.calibrated:
            result["calibrated"] = False
        return result


@dataclass(frozen=True, slots=True)
class Garment:
    """A garment in an image. `confidence` is that of the box; an attribute is None where it does not apply, where the
    image does not show it (then `hidden` lists it), or where no model said anything about this garment.

    `top_category` is what a detector of top-level categories says, with its probability.
    """

    box: Box
    confidence: float
    model: str
    attributes: Mapping[str, AttributeResult | None]
    hidden: tuple[str, ...] = ()
    top_category: Alternative | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the box, one key for each attribute, `top_category` and `hidden` where there is anything to say."""
        found: dict[str, Any] = {"box": [round(edge, 4) for edge in self.box]}
        if self.top_category is not None:
            top = self.top_category
            found["top_category"] = {"value": top.value, "confidence": round(top.confidence, 4)}
        found |= {code: result.as_dict() if result else None for code, result in self.attributes.items()}
        if self.hidden:
            found["hidden"] = list(self.hidden)
        return found


@dataclass(frozen=True, slots=True)
class GivenBox:
    """A box that holds a garment for certain: a person drew it. `top_category` where they say what it is, too."""

    box: Box
    top_category: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of an image before it is looked at. `only`: the boxes are described, and nothing else is found."""

    boxes: tuple[GivenBox, ...] = ()
    only: bool = False


@dataclass(frozen=True, slots=True)
class ImageResult:
    """An image and its garments by falling confidence; no garment is a result too.

    `given` describes the boxes that the caller gave, in their order; they are not among the `garments`.

    `width` and `height` are pixels of the upright original; `models` maps roles to the names of the models that ran;
    `timings` are milliseconds by phase: decode, detect, classify (a batch's time is shared out evenly).
    """

    width: int
    height: int
    garments: tuple[Garment, ...]
    models: Mapping[str, str]
    timings: Mapping[str, float] = field(default_factory=dict)
    given: tuple[Garment, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the timings and what was given: the same image gives the same text."""
        return {
            "width": self.width,
            "height": self.height,
            "garments": [garment.as_dict() for garment in self.garments],
            "models": dict(self.models),
        }

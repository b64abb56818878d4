"""Opening an ultralytics checkpoint (.pt) as what it is: a pickle, which could hold any code."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from .compat import prepare_ultralytics
from .errors import WeightsError

if TYPE_CHECKING:
    from torch import nn

# In evaluation both kinds of module return a pair. A detector's first is decoded boxes with scores, a classifier's
# second is the logits.
RAW_OUTPUT = {"detect": 0, "classify": 1}
_PACKAGES = ("torch.nn.modules.", "ultralytics.nn.")


def load_module(checkpoint: bytes) -> nn.Module:
    """The network of a checkpoint in float32, fused and in evaluation mode.

    The averaged weights where training kept them. Only torch's and ultralytics' own layers are unpickled: anything
    else in the file raises WeightsError before it can run, whatever its sha256.
    """
    prepare_ultralytics()
    import torch
    from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

    layers: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
        _layer(name) for name in get_unsafe_globals_in_checkpoint(BytesIO(checkpoint))
    ]
    with safe_globals(layers):
        content = torch.load(BytesIO(checkpoint), map_location="cpu", weights_only=True)
    network: Any = content.get("ema") or content["model"]
    module: nn.Module = network.float().eval().fuse(verbose=False)
    return module


def _layer(name: str) -> type[Any]:
    """The class of this name if it is a network layer, or the plain namespace that checkpoints keep arguments in."""
    from torch import nn
    from ultralytics.utils import IterableSimpleNamespace

    module, _, attribute = name.rpartition(".")
    if name == "ultralytics.utils.IterableSimpleNamespace":
        return IterableSimpleNamespace
    found = getattr(import_module(module), attribute, None) if module.startswith(_PACKAGES) else None
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise WeightsError(f"The checkpoint contains {name}, which is no network layer. It was not loaded.")
    return found

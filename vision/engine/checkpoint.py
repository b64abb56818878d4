"""Opening an ultralytics checkpoint (.pt) as what it is: a pickle, which could hold any code."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from .compat import prepare_ultralytics
from .errors import WeightsError

if TYPE_CHECKING:
    from torch import nn

# In evaluation both kinds of module return a pair. A detector's first is decoded boxes with scores, a classifier's
# second is the logits.
RAW_OUTPUT = {"detect": 0, "classify": 1}
_LAYERS = ("torch.nn.modules.", "ultralytics.nn.")
# What training leaves beside the layers: its arguments, in a plain namespace, and metrics as numpy scalars. Names as
# they were in the releases that the original's weights come from, and as they are now.
_PLAIN = {
    "ultralytics.utils.IterableSimpleNamespace",
    "ultralytics.yolo.utils.IterableSimpleNamespace",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
}
# Early releases left the loss function at the network, and paths among the arguments. Nothing here needs them.
# Whole names: training opens such a file as a plain pickle, for which `loss.torch.os.system` is a name as well.
_LEFT_OVER = re.compile(r"ultralytics\.(yolo\.)?utils\.(loss|tal)\.\w+|pathlib\.(Posix|Windows)Path")
_MOVED = {"ultralytics.yolo.utils": "ultralytics.utils", "numpy.core.multiarray": "numpy._core.multiarray"}


def load_module(checkpoint: bytes) -> nn.Module:
    """The network of a checkpoint, see `load_checkpoint`."""
    return load_checkpoint(checkpoint)[1]


def load_checkpoint(checkpoint: bytes, *, fuse: bool = True) -> tuple[dict[str, Any], nn.Module]:
    """What a checkpoint holds, and its network in float32 and in evaluation mode.

    The averaged weights where training kept them; `fuse` joins convolutions with their batch norms, which ends their
    training. Only torch's and ultralytics' own layers are unpickled, without calling them: anything else in the file
    raises WeightsError before it can run, whatever its sha256.
    """
    if not is_zipfile(BytesIO(checkpoint)):
        raise WeightsError("This is not a PyTorch checkpoint (.pt). Take the best.pt of a training.")
    prepare_ultralytics()
    import numpy as np
    import torch
    from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

    try:
        allowed: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
            (_harmless(name), name) for name in get_unsafe_globals_in_checkpoint(BytesIO(checkpoint))
        ]
        with safe_globals([*allowed, type(np.dtype(np.float64)), type(np.dtype(np.float32))]):
            content: dict[str, Any] = torch.load(BytesIO(checkpoint), map_location="cpu", weights_only=True)
        network: Any = content.get("ema") or content["model"]
        for layer in network.modules():
            layer.__class__ = type(layer).__mro__[1]  # the layer that a sealed one stands for
        network.criterion = None
        module: nn.Module = network.float().eval()
        if fuse:
            module = network.fuse(verbose=False)
    except WeightsError:
        raise
    except Exception as error:  # a file that is not a checkpoint fails in as many ways as there are formats
        raise WeightsError(f"The checkpoint cannot be opened as an ultralytics model: {error}") from error
    return content, module


def task_of(module: nn.Module) -> str | None:
    """`detect` or `classify`, by the network's last layer; None for any other."""
    layers: Any = module
    return {"Detect": "detect", "Classify": "classify"}.get(type(layers.model[-1]).__name__)


def trained_size(content: dict[str, Any], module: nn.Module) -> int | None:
    """The side of the input in pixels that training kept, in the checkpoint or at the network."""
    for arguments in (content.get("train_args"), getattr(module, "args", None)):
        size = arguments.get("imgsz") if isinstance(arguments, dict) else getattr(arguments, "imgsz", None)
        if isinstance(size, list | tuple) and size:
            size = max(size)
        if isinstance(size, int | float) and size > 0:
            return int(size)
    return None


class _LeftOver:
    """Stands for whatever of a checkpoint is not needed, without its code."""

    def __init__(self, *_arguments: object) -> None: ...


def _harmless(name: str) -> Callable[..., Any]:
    """The class of this name if it is a network layer or one of the few plain things."""
    from torch import nn

    if _LEFT_OVER.fullmatch(name):
        return _LeftOver
    module, _, attribute = name.rpartition(".")
    found = None
    if name in _PLAIN or name.startswith(_LAYERS):
        found = getattr(import_module(_MOVED.get(module, module)), attribute, None)
    if isinstance(found, type) and issubclass(found, nn.Module):
        return _sealed(found)
    if found is None or name not in _PLAIN:
        raise WeightsError(f"The checkpoint contains {name}, which is not a network layer. It was not loaded.")
    plain: Callable[..., Any] = found
    return plain


def _sealed(layer: type[nn.Module]) -> type[nn.Module]:
    """The layer, to be filled with a state but not to be called.

    A pickle may call what it names, and ultralytics' constructors evaluate an activation that they are given as text.
    """

    def refuse(_self: nn.Module, *_arguments: object, **_options: object) -> None:
        raise WeightsError(f"The checkpoint calls {layer.__name__} instead of holding one. It was not loaded.")

    return type(layer.__name__, (layer,), {"__init__": refuse, "__module__": layer.__module__})

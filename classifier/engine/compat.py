"""Makes ultralytics importable where a CPU build of torch meets a CUDA build of torchvision."""

from __future__ import annotations


def ensure_torchvision() -> None:
    """Call before importing ultralytics. Does nothing where torchvision is whole.

    torchvision registers fake kernels for two operators of its C++ library when it is imported; where that library
    cannot be loaded the operators are missing and the import fails. Declaring them is enough for its transforms;
    non-maximum suppression then comes from ultralytics' own torch version.
    """
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        _declare_missing_operators(torch)


def _declare_missing_operators(torch: object) -> None:
    import sys
    from torch.library import define

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    for operator in ("nms", "qnms"):
        define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision.ops
    from ultralytics.utils.nms import TorchNMS

    torchvision.ops.nms = TorchNMS.nms

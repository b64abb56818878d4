"""What has to be in place before ultralytics, torchvision or openvino is imported."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache


@cache
def prepare_ultralytics() -> None:
    """Call before the first import of ultralytics: it then neither downloads, nor installs, nor writes outside.

    Its settings file goes into a folder that lasts as long as the process, unless YOLO_CONFIG_DIR names another.
    """
    os.environ["YOLO_OFFLINE"] = "true"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ.setdefault("YOLO_VERBOSE", "false")
    if "YOLO_CONFIG_DIR" not in os.environ:
        os.environ["YOLO_CONFIG_DIR"] = _settings_folder().name
    ensure_torchvision()


@cache
def _settings_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="otjang-ultralytics-")


def prepare_openvino() -> None:
    """Call before the first import of openvino: where it finds this package it reports its use to its makers."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def ensure_torchvision() -> None:
    """Make torchvision importable where its CUDA build meets a CPU build of torch; does nothing where it is whole.

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
    from torch.library import define

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    for operator in ("nms", "qnms"):
        define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision.ops
    from ultralytics.utils.nms import TorchNMS

    torchvision.ops.nms = TorchNMS.nms

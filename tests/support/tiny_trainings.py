"""Trainings that take seconds: from a network that has learnt nothing, on images of a few pixels."""

import torch
from django.core.management import call_command

from vision.engine.compat import prepare_ultralytics

TINY = {"batch": 4, "image_size": 32, "minimum": 3, "threads": 1, "stderr": None}


def build_base(folder):
    """Write start weights, a YOLOv8n detector that has learnt nothing, and return their path."""
    prepare_ultralytics()
    from ultralytics.nn.tasks import DetectionModel

    path = folder / "untrained.pt"
    torch.save({"model": DetectionModel("yolov8n.yaml", nc=80, verbose=False)}, path)
    return path


def run_training(role, data, base, out, **options):
    call_command("train", role, data=data, base=base, out=out, **(TINY | options))

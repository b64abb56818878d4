"""Checkpoints that want to run something when they are opened."""

import io
import os
import pickle


class _Calls:
    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def _checkpoint(payload):
    import torch

    buffer = io.BytesIO()
    torch.save({"model": payload}, buffer, pickle_module=pickle)
    return buffer.getvalue()


def calling_mkdir(folder):
    """A pickle that calls a function."""
    return _checkpoint(_Calls(os.mkdir, str(folder)))


def building_a_layer(code):
    """A pickle of allowed names only: ultralytics evaluates the activation that its model is given as text."""
    from ultralytics.nn.tasks import DetectionModel

    layers = {"activation": code, "nc": 1, "backbone": [[-1, 1, "Conv", [8, 3, 2]]], "head": []}
    return _checkpoint(_Calls(DetectionModel, layers))

"""Checkpoints that want to run something when they are opened."""

import io
import os
import pickle
import zipfile


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


def calling_a_leftover(checkpoint, folder):
    """A sound checkpoint with one more entry: what the restricted reader takes for a loss function that nobody needs
    is, to a plain pickle, a function of another module."""
    source, buffer = zipfile.ZipFile(io.BytesIO(checkpoint)), io.BytesIO()
    path = str(folder).encode()
    call = b"cultralytics.utils.loss\ntorch.os.mkdir\nX" + len(path).to_bytes(4, "little") + path + b"\x85R"
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = content[:-1] + b"\x80\x04X\x04\x00\x00\x00more" + call + b"s."
            target.writestr(entry, content)
    return buffer.getvalue()


def describing_code(checkpoint, folder):
    """A sound checkpoint whose network's description names an activation that is code."""
    import torch

    content, buffer = torch.load(io.BytesIO(checkpoint), weights_only=False), io.BytesIO()
    content["model"].yaml["activation"] = f"__import__('os').mkdir({str(folder)!r}) or torch.nn.SiLU()"
    torch.save(content, buffer)
    return buffer.getvalue()


def building_a_layer(code):
    """A pickle of allowed names only: ultralytics evaluates the activation that its model is given as text."""
    from ultralytics.nn.tasks import DetectionModel

    layers = {"activation": code, "nc": 1, "backbone": [[-1, 1, "Conv", [8, 3, 2]]], "head": []}
    return _checkpoint(_Calls(DetectionModel, layers))

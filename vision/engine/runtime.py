"""Running a network: one small interface over OpenVINO and torch. Both are imported only when they are asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .compat import prepare_openvino
from .distances import keep_distances_precise
from .errors import EngineError
from .manifest import ModelSpec, WeightFile
from .precision import BF16, F32, OPENVINO, RUNTIME_FILES, PrecisionUnavailable
from .preprocess import Shapes

Tensor = NDArray[np.float32]

COLOURS = 3

LANES = min(os.cpu_count() or 1, 8)
"""How many networks run at the same time, each on a core of its own."""

THREADS = LANES + 1
"""How many threads keep the lanes busy: while one decodes images, the networks of the others run."""

LARGEST_BATCH = 4
"""How many images a network gets at once: 16 take 140 MB more and, on the one core of a lane, no less time."""


def batches(shapes: Sequence[tuple[int, ...]], most: int = LARGEST_BATCH) -> Iterator[list[int]]:
    """The numbers of the images that a network gets together: those of one shape, at most so many."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for number, shape in enumerate(shapes):
        alike.setdefault(shape, []).append(number)
    for numbers in alike.values():
        yield from (numbers[start : start + most] for start in range(0, len(numbers), most))


class Network(Protocol):
    """A loaded network. May be called from several threads."""

    def infer(self, batch: Tensor) -> Tensor:
        """(n, 3, height, width) RGB in 0..1 to the raw output.

        A detector gives (n, 4 + classes, anchors): centre x, y, width, height in input pixels, then class scores in
        0..1. A classifier gives (n, classes), logits unless the manifest says otherwise.
        """
        ...


class OpenVinoNetwork:
    """An OpenVINO graph on the CPU.

    In single precision the same image gives the same answer on every machine. bf16 is asked for by a hint; a graph in
    int8 is a file of its own, whose layers say themselves what they compute in, and its others stay in single
    precision. One stream for each lane: a stream over all cores answers a single image sooner, but takes a tenth
    more work, and when the machine has anything else to do its threads wait for each other at every layer.

    Graphs leave height and width open, and are compiled for each of `shapes`: one that has to be ready for any would
    compute slower. Graphs that were exported before know their one shape.
    """

    def __init__(
        self, graph: bytes, weights: bytes, precision: str = F32, shapes: Sequence[tuple[int, int]] = ()
    ) -> None:
        """Raises EngineError where the graph's own shape is none of the `shapes` asked for."""
        prepare_openvino()
        import openvino

        core = openvino.Core()
        options = {
            "INFERENCE_PRECISION_HINT": BF16 if precision == BF16 else F32,
            "NUM_STREAMS": str(LANES),
            "INFERENCE_NUM_THREADS": str(os.cpu_count() or 1),
        }
        model = core.read_model(model=graph, weights=weights)
        if precision == BF16:
            keep_distances_precise(model)
        self._compiled: dict[tuple[int, int], Any] = {}
        self._idle: dict[tuple[int, int], list[Any]] = {}
        for shape in _shapes_of(model, shapes):
            fixed = model.clone()
            fixed.reshape([-1, COLOURS, *shape])
            self._compiled[shape] = core.compile_model(fixed, "CPU", options)
            self._idle[shape] = []
            # OpenVINO's bindings set themselves up at a process's first inference; two lanes at once may deadlock.
            self.infer(np.zeros((1, COLOURS, *shape), np.float32))

    def infer(self, batch: Tensor) -> Tensor:
        _count, _colours, height, width = batch.shape
        idle = self._idle[height, width]
        try:
            request = idle.pop()
        except IndexError:
            request = self._compiled[height, width].create_infer_request()
        output = np.array(request.infer([batch], share_inputs=True)[0], np.float32)
        idle.append(request)
        return output


def _shapes_of(model: Any, asked: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The shapes (height, width) to compile a graph for: those asked for, or the one that it was exported for."""
    *_, height, width = model.input(0).partial_shape
    if height.is_dynamic:
        return asked
    own = (height.get_length(), width.get_length())
    if any(shape != own for shape in asked):
        raise EngineError(f"The graph was exported for {own[1]} x {own[0]} pixels alone; export the checkpoint again.")
    return [own]


class TorchNetwork:
    """The reference: the ultralytics module itself, on CUDA where there is one."""

    def __init__(self, checkpoint: bytes, *, task: str, device: str | None = None) -> None:
        import torch

        from .checkpoint import RAW_OUTPUT, load_module

        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._module = load_module(checkpoint).to(self._device)
        self._output = RAW_OUTPUT[task]
        self._lock = threading.Lock()

    def infer(self, batch: Tensor) -> Tensor:
        import torch

        with self._lock, torch.inference_mode():
            outputs = self._module(torch.from_numpy(np.ascontiguousarray(batch)).to(self._device))
            result: Tensor = outputs[self._output].float().cpu().numpy()
            return result


class MirroredNetwork:
    """The mean of one classifier's outputs for crops and another's for their mirror images. Both may be the same."""

    def __init__(self, straight: Network, mirror: Network) -> None:
        self._straight = straight
        self._mirror = mirror

    def infer(self, batch: Tensor) -> Tensor:
        straight, mirror = self._straight.infer(batch), self._mirror.infer(np.ascontiguousarray(batch[..., ::-1]))
        mean: Tensor = np.mean((straight, mirror), axis=0, dtype=np.float32)
        return mean


def _load_openvino(files: Sequence[bytes], spec: ModelSpec, precision: str) -> Network:
    graph, weights = files
    return OpenVinoNetwork(graph, weights, precision, spec.shapes)


def _load_torch(files: Sequence[bytes], spec: ModelSpec, precision: str) -> Network:
    if precision != F32:
        raise PrecisionUnavailable(f"The runtime torch computes in f32, not in {precision}.")
    (checkpoint,) = files
    return TorchNetwork(checkpoint, task=spec.task)


RUNTIMES: dict[str, Callable[[Sequence[bytes], ModelSpec, str], Network]] = {
    OPENVINO: _load_openvino,
    "torch": _load_torch,
}


def load_networks(
    specs: Mapping[str, ModelSpec], runtime: str, precisions: Mapping[str, str] | None = None
) -> dict[str, Network]:
    """Verify the models' files and load them: the network of each role.

    Roles that list the same files, and see the same shapes, share one.

    `precisions` says in which one the models compute, by role (see `precision.choose`); by default all in f32.
    Raises WeightsError, or EngineError for an unknown runtime or a precision that it does not have.
    """
    if runtime not in RUNTIMES:
        raise EngineError(f"There is no runtime {runtime!r}; there are {', '.join(RUNTIMES)}.")
    single: dict[tuple[str, tuple[WeightFile, ...], Shapes], Network] = {}
    loaded: dict[tuple[str, tuple[tuple[WeightFile, ...], ...], Shapes], Network] = {}
    networks = {}
    for role, spec in specs.items():
        precision = precisions[role] if precisions is not None else F32
        listed = spec.networks(RUNTIME_FILES[precision] if runtime == OPENVINO else runtime)
        for files in listed:
            if (precision, files, spec.shapes) not in single:
                content = [file.read() for file in files]
                single[precision, files, spec.shapes] = RUNTIMES[runtime](content, spec, precision)
        if (precision, listed, spec.shapes) not in loaded:
            members = [single[precision, files, spec.shapes] for files in listed]
            loaded[precision, listed, spec.shapes] = MirroredNetwork(*members) if len(members) > 1 else members[0]
        networks[role] = loaded[precision, listed, spec.shapes]
    return networks

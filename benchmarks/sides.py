"""The three things that `benchmarks/pipeline.py` compares. Each lives in a process of its own, so that its memory can
be told from the others', and does one piece of work at a time when it is asked to."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = 4  # images of a product

Shapes = dict[int, list[tuple[str, tuple[int, ...]]]]
"""For each lane, which network it ran on how large a tensor, in order."""


def cpu_seconds() -> float:
    """The processor's time that this process has used, with its ended children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Side:
    """Something to measure. Methods are called by name from the other process.

    Seconds are those of the clock; `cpu` is the processor's time over all threads and ended children, which other work
    on the machine does not change much.
    """

    def peak_megabytes(self) -> float:
        """The most memory that this process ever had."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class WorkerPath(Side):
    """(a) This project's worker, from the stored file to committed rows, on a private SQLite database."""

    def __init__(self, folder: str, weights: str, images: Sequence[str], precision: str) -> None:
        os.environ |= {
            "DATABASE_URL": f"sqlite:///{folder}/otjang.sqlite3",
            "MEDIA_ROOT": f"{folder}/media",
            "WEIGHTS": weights,
            "PRECISION": precision,
            "SECRET_KEY": "only-for-benchmarks-" * 4,
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "OTJANG_MAX_IMAGES_PER_PRODUCT": str(PRODUCT),
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from catalog.services.taxonomy import load_taxonomy

        load_taxonomy()
        started = time.perf_counter()
        self._images = self._upload(images)
        self.validation_ms = 1000 * (time.perf_counter() - started) / len(images)
        self._busy: dict[str, float] = defaultdict(float)
        self._shapes: Shapes = {}
        self._lock = threading.Lock()
        self._instrument()

    def _upload(self, images: Sequence[str]) -> list[Any]:
        from django.core.files.uploadedfile import SimpleUploadedFile

        from accounts.actors import system
        from accounts.models import Merchant
        from catalog.services.uploads import create_product_with_images

        merchant = Merchant.objects.create(name="Benchmark")
        stored = []
        for start in range(0, len(images), PRODUCT):
            files = [SimpleUploadedFile(Path(p).name, Path(p).read_bytes()) for p in images[start : start + PRODUCT]]
            _product, received = create_product_with_images(actor=system(), merchant=merchant, files=files)
            stored += [entry.image for entry in received]
        return stored

    def _instrument(self) -> None:
        from catalog.selectors import Taxonomy
        from classifier.jobs import batches, queue, results

        for module, name in ((queue, "claim"), (results, "store"), (results, "apply")):
            setattr(module, name, self._timed(name, getattr(module, name)))
        serving = batches.serving_now(Taxonomy.load())
        assert serving is not None, "there are no weights"
        engine = serving.engine
        # Roles may share a network, which runs once for all of them.
        for role, network in {id(network): (role, network) for role, network in engine.networks.items()}.values():
            network.infer = self._recorded(role, network.infer)  # type: ignore[method-assign]  # the tap
        self._engine = engine

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._timing(name):
                return function(*args, **kwargs)

        return wrapper

    def _recorded(self, role: str, infer: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(batch: Any) -> Any:
            with self._lock:
                self._shapes.setdefault(threading.get_ident(), []).append((role, batch.shape))
            with self._timing("networks"):
                return infer(batch)

        return wrapper

    @contextmanager
    def _timing(self, name: str) -> Any:
        started = time.perf_counter()
        yield
        with self._lock:
            self._busy[name] += time.perf_counter() - started

    def _queue(self, first: int, count: int) -> None:
        from classifier.jobs.requests import request_classification
        from classifier.models import Classification

        Classification.objects.filter(open_key__isnull=False).update(open_key=None, state="done")
        for image in self._images[first : first + count]:
            request_classification(image=image, again=True)

    def run(self, first: int, count: int) -> dict[str, Any]:
        """Classify `count` images: seconds, what the networks were given, and busy seconds by phase."""
        from classifier.jobs.batches import classify_waiting
        from classifier.models import Classification

        self._queue(first, count)
        self._busy.clear()
        self._shapes.clear()
        started, cpu = time.perf_counter(), cpu_seconds()
        done = classify_waiting()
        seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
        assert done == count, f"{done} of {count} images were classified"
        phases = dict(self._busy)
        for timings in Classification.objects.order_by("-id").values_list("timings", flat=True)[:count]:
            for phase, milliseconds in timings.items():
                phases[phase] = phases.get(phase, 0.0) + milliseconds / 1000
        return {"seconds": seconds, "cpu": cpu, "shapes": dict(self._shapes), "phases": phases}

    def single(self, index: int) -> dict[str, Any]:
        """Classify one image on an idle worker."""
        return self.run(index, 1)

    def garments(self) -> float:
        """How many garments are found in an image, on average."""
        from classifier.models import Classification, Garment

        return Garment.objects.count() / Classification.objects.filter(state="done", model_set__isnull=False).count()


class Original(Side):
    """(b) The replaced system's pipeline: three YOLOv8n detectors, loaded once, `predict` on each file.

    Its weights are not public; random ones of the same architecture take the same time in the networks. They find
    nothing, so its drawing and matching, which would only add to its time, are left out.
    """

    SIZES = {"category": (640, 17), "material": (416, 24), "sleeve_length": (640, 5)}

    def __init__(self) -> None:
        from vision.engine.compat import prepare_ultralytics

        prepare_ultralytics()
        import torch
        from ultralytics.models import YOLO
        from ultralytics.nn.tasks import DetectionModel

        self._models = []
        for seed, (size, classes) in enumerate(self.SIZES.values()):
            torch.manual_seed(seed)
            model: Any = YOLO("yolov8n.yaml")
            model.model = DetectionModel("yolov8n.yaml", nc=classes, verbose=False)
            self._models.append((model, size))

    def run(self, images: Sequence[str]) -> dict[str, Any]:
        """Predict each file with each model: seconds in all, and of each image."""
        each, cpu = [], cpu_seconds()
        for path in images:
            started = time.perf_counter()
            for model, size in self._models:
                model.predict(path, imgsz=size, verbose=False, device="cpu")
            each.append(time.perf_counter() - started)
        return {"seconds": sum(each), "cpu": cpu_seconds() - cpu, "each": each}


class Networks(Side):
    """(c) The networks of (a) alone, on ready tensors of the shapes that (a) gave them."""

    def __init__(self, weights: str, precision: str) -> None:
        import numpy as np

        from vision.engine import Engine

        self._engine = Engine.load(Path(weights), precision=precision)
        self._random = np.random.default_rng(0)
        self._tensors: dict[tuple[int, ...], Any] = {}

    def run(self, shapes: Shapes) -> dict[str, Any]:
        """Run the networks in this order, the lanes side by side."""
        for shape in {shape for calls in shapes.values() for _role, shape in calls}:
            if shape not in self._tensors:
                self._tensors[shape] = self._random.random(shape, dtype="float32")
        with ThreadPoolExecutor(len(shapes)) as lanes:
            started, cpu = time.perf_counter(), cpu_seconds()
            list(lanes.map(self._run_lane, shapes.values()))
            return {"seconds": time.perf_counter() - started, "cpu": cpu_seconds() - cpu}

    def _run_lane(self, calls: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        for role, shape in calls:
            self._engine.networks[role].infer(self._tensors[shape])


def serve(connection: Connection, side: type[Side], arguments: tuple[Any, ...]) -> None:
    """Build the side, then answer calls until the other end closes."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
    instance = side(*arguments)
    connection.send(getattr(instance, "validation_ms", None))
    while True:
        try:
            name, call = connection.recv()
        except EOFError:
            return
        connection.send(getattr(instance, name)(*call))

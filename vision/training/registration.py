"""Opening weights from outside, once, and exporting them: `python -m vision.training.registration JOB.json`.

A checkpoint is a pickle, which is a program. So this runs as a process of its own, without network, without the
right to start programs, and with bounded memory and time; besides, only network layers are unpickled
(`engine.checkpoint`). What comes out, OpenVINO files and a description, is all that anything else ever opens.
"""

from __future__ import annotations

import ctypes
import json
import math
import resource
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

RESULT = "result.json"
GRAPH, NUMBERS = "model.xml", "model.bin"

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of <sched.h>
_END_WITH_PARENT, _SIGKILL = 1, 9  # PR_SET_PDEATHSIG of <sys/prctl.h>
_GIBIBYTE = 2**30
_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_CPU: 1800,  # seconds
    resource.RLIMIT_FSIZE: 2 * _GIBIBYTE,
    resource.RLIMIT_DATA: 8 * _GIBIBYTE,
}
_REFUSED = (
    "ctypes.",
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.",
)


@dataclass(frozen=True, slots=True)
class Job:
    """What to open and where to put the export. Paths are absolute; `image_size` None is the size trained at."""

    checkpoint: str
    folder: str
    role: str
    image_size: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What a checkpoint says of itself."""

    task: str
    classes: list[str]
    input_size: int
    licence: str
    metrics: dict[str, float] = field(default_factory=dict)
    isolated: bool = False
    """Whether it was opened in a network namespace of its own, where not even native code reaches anything."""


def confine() -> bool:
    """Give up unbounded resources and, where the system permits a namespace, the network; before there are threads.

    The process ends with the one that started it. Returns whether the process is in a network namespace of its own.
    """
    for limit, value in _LIMITS.items():
        _soft, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "unshare"):  # not Linux
        return False
    # Where user namespaces are switched off, root may still have one of the network.
    isolated = not (libc.unshare(_NEW_USER | _NEW_NETWORK) and libc.unshare(_NEW_NETWORK))
    libc.prctl(_END_WITH_PARENT, _SIGKILL)  # last: a new user namespace takes it back
    return isolated


def refuse_programs() -> None:
    """Refuse sockets and other programs to all Python code from now on; nothing can take this back."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(f"{event} is not allowed while a checkpoint is open.")


def open_and_export(job: Job) -> Opened:
    """Export the checkpoint as `GRAPH` and `NUMBERS` into the job's folder, and compare both.

    Raises WeightsError if it is not a detector or classifier that can be used, ExportError if the export differs.
    """
    from vision.engine.checkpoint import load_checkpoint, task_of, trained_size
    from vision.engine.errors import WeightsError
    from vision.training.export import export_openvino
    from vision.training.publish import check_export

    path = Path(job.checkpoint)
    content, network = load_checkpoint(path.read_bytes())
    module: Any = network
    task = task_of(module)
    if task is None:
        raise WeightsError("This is neither a detector nor a classifier.")
    if job.role == "garment" and task != "detect":
        raise WeightsError("This is a classifier; only a detector finds garments.")
    size = job.image_size or trained_size(content, module)
    if size is None:
        raise WeightsError("The file does not say at which input size it was trained: give the size.")
    graph = Path(job.folder) / GRAPH
    export_openvino(module, size, graph, task=task)
    check_export(graph, path, task, size)
    return Opened(
        task=task,
        classes=[str(module.names[index]) for index in range(len(module.names))],
        input_size=size,
        licence=str(content.get("license", "")).partition(" (")[0][:40],
        metrics={
            str(name): float(value)
            for name, value in (content.get("train_metrics") or {}).items()
            if isinstance(value, int | float) and math.isfinite(value)
        },
    )


def main(path: str, isolated: bool) -> None:
    """Do the job that a file describes; writes `RESULT` into its folder: what was opened, or the error."""
    job = Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    from vision.engine.compat import prepare_openvino, prepare_ultralytics

    # Imports start programs to look for libraries. The file is opened only after them.
    prepare_ultralytics()
    prepare_openvino()
    import openvino  # noqa: F401
    import ultralytics.nn.tasks  # noqa: F401

    from vision.engine.errors import WeightsError
    from vision.training.publish import ExportError

    refuse_programs()
    try:
        result: dict[str, Any] = asdict(replace(open_and_export(job), isolated=isolated))
    except (WeightsError, ExportError, OSError) as error:
        result = {"error": str(error)}
    (Path(job.folder) / RESULT).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], isolated=confine())

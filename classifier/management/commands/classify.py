"""`manage.py classify`: what is in these images, without a site or a database."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from catalog.upload_validation import image_limits
from core.commands import EnglishCommand
from vision.engine import CHOICES, RUNTIMES, AttributeResult, DecodeError, Engine, EngineError, ImageResult, decode
from vision.engine.annotate import annotate
from vision.engine.formats import is_image_file, kind_of_file
from vision.engine.memory import give_large_blocks_back
from vision.engine.precision import AUTO, OPENVINO, described

ANNOTATED_DETAIL = 1200
FILE_COLUMN, VALUE_COLUMN = 32, 26


class Command(EnglishCommand):
    help = "Find the garments in images and say category, material and sleeve length of each."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="images or folders (recursive); - reads paths from stdin"
        )
        parser.add_argument("--format", choices=("table", "jsonl"), default="table", help="default: table")
        parser.add_argument(
            "--save-annotated", type=Path, metavar="DIR", help="save copies with the boxes drawn; overwrites nothing"
        )
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--weights", type=Path, metavar="DIR", help="folder of manifest.json; default: WEIGHTS")
        source.add_argument("--registry", action="store_true", help="the models that the site serves now (database)")
        parser.add_argument("--runtime", choices=tuple(RUNTIMES), default="openvino", help="default: openvino")
        parser.add_argument(
            "--precision",
            choices=CHOICES,
            help="compute in this precision, verified or not; default: as the setting PRECISION has it for what was",
        )

    def handle(
        self,
        *,
        paths: list[str],
        format: str,  # noqa: A002 - the option's name
        save_annotated: Path | None,
        weights: Path | None,
        registry: bool,
        runtime: str,
        precision: str | None,
        verbosity: int,
        **options: Any,
    ) -> None:
        """Print a result for each file in input order; CommandError at the end if any could not be read."""
        give_large_blocks_back()
        folder = None
        try:
            if registry:
                engine = _registered(runtime, precision)
            else:
                engine = _from_folder(weights or settings.WEIGHTS_DIR, runtime, precision)
            if save_annotated is not None:
                folder = _AnnotatedFolder(save_annotated)
        except (EngineError, OSError) as error:
            raise CommandError(str(error)) from error
        progress = _Progress(self.stderr if verbosity > 0 else None, described(engine.precisions))
        names, sources = tee(find_images(_named(paths), leave_out=save_annotated, skip=progress.skip))
        if format == "table":
            self.stdout.write(_table_head(engine))
        try:
            for name, result in zip(names, engine.classify_many(map(Path, sources)), strict=True):
                self.stdout.write(_json_line(name, result, engine) if format == "jsonl" else _table_rows(name, result))
                if folder is not None and isinstance(result, ImageResult):
                    folder.save(Path(name), result)
                progress.step(failed=isinstance(result, DecodeError))
            self.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough: `classify … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        progress.end()
        if progress.failed:
            raise CommandError(f"Files that could not be read: {progress.failed} of {progress.done}.")


def _from_folder(weights: Path, runtime: str, precision: str | None) -> Engine:
    setting = settings.PRECISION if runtime == OPENVINO else AUTO
    return Engine.load(
        weights,
        runtime=runtime,
        precision=precision or setting,
        unverified=precision is not None,
        max_pixels=image_limits(),
    )


def _registered(runtime: str, precision: str | None) -> Engine:
    """The engine of the active set; here, because nothing else in this command needs a database."""
    from catalog.selectors import Taxonomy
    from classifier.registry import serving

    if runtime != serving.RUNTIME:
        raise CommandError(f"The registry holds models for the runtime {serving.RUNTIME} only.")
    if precision is not None:
        raise CommandError("The registry's models compute as PRECISION says: set that, or leave out --registry.")
    try:
        return serving.active(Taxonomy.load()).engine
    except DatabaseError as error:
        raise CommandError(f"The database cannot be asked ({error}). `manage.py prepare` sets it up.") from error


def find_images(
    paths: Iterable[str], *, leave_out: Path | None = None, skip: Callable[[str], None] = lambda path: None
) -> Iterator[str]:
    """The files meant by `paths`, in order; a folder gives its images, whatever they are called, and its folders'.

    A path that is nothing, and a folder that cannot be opened, stay in: they become results with an error.

    Args:
        paths: files and folders.
        leave_out: a folder that is not looked into.
        skip: is told of each file in a folder that is not an image.
    """
    for path in paths:
        if not os.path.isdir(path):
            yield path
        elif leave_out is None or not leave_out.exists() or not os.path.samefile(path, leave_out):
            try:
                entries = sorted(os.scandir(path), key=lambda entry: entry.name)
            except OSError:
                yield path
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from find_images([entry.path], leave_out=leave_out, skip=skip)
                elif entry.is_file() and is_image_file(entry.path):
                    yield entry.path
                elif not entry.is_dir():
                    skip(entry.path)


def _named(paths: Iterable[str]) -> Iterator[str]:
    """The paths on the command line, `-` replaced by the lines of stdin as they come."""
    for path in paths:
        if path == "-":
            yield from filter(None, (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer))
        else:
            yield path


def _shown(name: str) -> str:
    """A file name that can be written anywhere, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")


def _json_line(name: str, result: ImageResult | DecodeError, engine: Engine) -> str:
    if isinstance(result, DecodeError):
        found: dict[str, Any] = {"width": None, "height": None, "garments": [], "models": dict(engine.models)}
        error = {"code": result.code, "message": result.message}
    else:
        found, error = result.as_dict(), None
    return json.dumps({"file": _shown(name), **found, "error": error}, ensure_ascii=False)


def _table_head(engine: Engine) -> str:
    roles = (spec.role.upper() for spec in engine.manifest.attributes)
    return f"{'FILE':<{FILE_COLUMN}}  # " + " ".join(f"{role:<{VALUE_COLUMN}}" for role in roles).rstrip()


def _table_rows(name: str, result: ImageResult | DecodeError) -> str:
    """One line per garment; the file's name, shortened from the left, on the first."""
    shown = _shown(name)
    label = shown if len(shown) <= FILE_COLUMN else "…" + shown[-(FILE_COLUMN - 1) :]
    if isinstance(result, DecodeError):
        return f"{label:<{FILE_COLUMN}}  ! {result.code}: {result.message}"
    if not result.garments:
        return f"{label:<{FILE_COLUMN}}  - no garment found"
    rows = []
    for number, garment in enumerate(result.garments, start=1):
        said = ("not visible" if code in garment.hidden else _cell(value) for code, value in garment.attributes.items())
        cells = " ".join(f"{cell:<{VALUE_COLUMN}}" for cell in said)
        rows.append(f"{label if number == 1 else '':<{FILE_COLUMN}} {number:>2} {cells}".rstrip())
    return "\n".join(rows)


def _cell(result: AttributeResult | None) -> str:
    if result is None:
        return "-"
    value = f"{result.parent} / {result.value}" if result.parent else result.value
    return f"{value} {result.confidence:.0%}"


class _AnnotatedFolder:
    """Where annotated copies go. No copy ever replaces another file: equal names get a number."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def save(self, source: Path, found: ImageResult) -> None:
        """Write the image with its boxes as JPEG under its own name."""
        drawn = annotate(decode(source, detail=ANNOTATED_DETAIL, max_pixels=sys.maxsize).image, found.garments)
        count = 1
        while True:
            name = f"{source.stem}.jpg" if count == 1 else f"{source.stem}-{count}.jpg"
            try:
                with open(self._folder / name, "xb") as file:
                    drawn.save(file, "JPEG", quality=90)
                return
            except FileExistsError:
                count += 1


class _Progress:
    """How far it is, on stderr: a line that rewrites itself on a terminal, else one now and then."""

    def __init__(self, stream: Any, precision: str) -> None:
        self._stream = stream
        self._precision = precision
        self._started = time.monotonic()
        self._shown = self._started
        self.done = self.failed = self.skipped = 0

    def step(self, *, failed: bool) -> None:
        """Count one file."""
        self.done += 1
        self.failed += failed
        now = time.monotonic()
        if self._stream is not None and now - self._shown >= (0.2 if self._stream.isatty() else 5):
            self._shown = now
            self._write("\r" if self._stream.isatty() else "\n")

    def skip(self, path: str) -> None:
        """Name a file in a folder that is not looked at, with its kind if that is known."""
        self.skipped += 1
        if self._stream is None:
            return
        try:
            kind = kind_of_file(path) or "not an image"
        except OSError:
            kind = "cannot be read"
        self._stream.write(f"skipped ({kind}): {_shown(path)}", style_func=str)

    def end(self) -> None:
        """Write the last count."""
        if self._stream is not None:
            self._write("\n")

    def _write(self, ending: str) -> None:
        speed = self.done / max(time.monotonic() - self._started, 1e-9)
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        text = f"{self.done} files, {self.failed} unreadable{skipped}, {speed:.1f} a second, in {self._precision}"
        self._stream.write(text, style_func=str, ending=ending)
        self._stream.flush()

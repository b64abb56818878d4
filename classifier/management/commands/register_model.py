"""`manage.py register_model`: weights from outside into the registry, and into service if asked for."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import system
from classifier.models import ModelVersion
from classifier.registry import model_sets
from classifier.registry.registration import LICENCE_LENGTH, Description, register
from core.commands import EnglishCommand
from core.errors import Refused


class Command(EnglishCommand):
    """The only way, beside the upload in the admin, by which a checkpoint is ever opened."""

    help = "Register an ultralytics checkpoint (.pt) or the folder of a training run, exported for serving."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, what it is for, and what its classes mean."""
        parser.add_argument("file", type=Path, metavar="FILE", help="a .pt file, or the folder of a run")
        parser.add_argument("--role", required=True, help="garment, or the code of an attribute such as category")
        parser.add_argument("--name", help="default: the file's or the run's own name")
        parser.add_argument("--activate", action="store_true", help="promote it at once in its role")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="CLASS=VALUE",
            help="the value of a class that the taxonomy does not know by code or alias; can be repeated",
        )
        parser.add_argument("--threshold", type=float, help="least score of a detector's box (default 0.25)")
        parser.add_argument("--image-size", type=int, help="side of the input in pixels (default: as trained)")
        parser.add_argument("--licence", help="such as AGPL-3.0 (default: what the file or the run says)")
        parser.add_argument("--card", type=Path, metavar="FILE", help="text on what it was made of and cannot do")
        parser.add_argument("--metrics", type=Path, metavar="FILE", help="JSON object of what was measured")

    def handle(
        self,
        *args: Any,
        file: Path,
        role: str,
        name: str | None,
        activate: bool,
        threshold: float | None,
        image_size: int | None,
        **options: Any,
    ) -> None:
        """Register, report, promote; CommandError names what is wrong."""
        mapping = dict(_pair(text) for text in options["map"])
        if not file.exists():
            raise CommandError(f"{file} does not exist.")
        try:
            given = _given(options)
            path, known, description = file, file.stem, Description()
            if file.is_dir():
                path, known, description = _read_run(file, role)
            description = replace(description, **given)
            if threshold is not None:
                description = replace(description, use={**description.use, "threshold": threshold})
            name = name or known
            version = register(
                actor=system(),
                checkpoint=path.read_bytes(),
                name=name,
                role=role,
                mapping=mapping,
                image_size=image_size,
                description=description,
            )
            if version.name != name:
                self.stdout.write(
                    f"This file is registered already as {version.name} (version:{version.pk}); its name stays."
                )
            if any(getattr(version, field) != said for field, said in given.items()):
                self.stdout.write("Its licence, card and metrics stay as they were registered.")
            self._report(version)
            if activate:
                model_sets.promote(actor=system(), versions=[version])
                self.stdout.write(f"{version.name} serves now.")
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error

    def _report(self, version: ModelVersion) -> None:
        size, classes = version.input_size, len(version.classes)
        self.stdout.write(f"{version.role}: {version.name}, {version.task}, {classes} classes, {size} px")
        if version.unknown_classes:
            self.stdout.write(f"classes without a value: {', '.join(version.unknown_classes)}")
            self.stdout.write(
                "They block its activation: register it with --map CLASS=VALUE, or map them in the admin."
            )


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.rpartition("=")
    if not separator or not name or not value:
        raise CommandError(f"{text!r} is not of the form CLASS=VALUE.")
    return name, value


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Description` that options say. CommandError for what is too long or no JSON object."""
    given: dict[str, Any] = {}
    if options["licence"] is not None:
        given["licence"] = options["licence"]
        if len(options["licence"]) > LICENCE_LENGTH:
            raise CommandError(f"--licence has at most {LICENCE_LENGTH} characters.")
    if options["card"] is not None:
        given["card"] = options["card"].read_text(encoding="utf-8")
    if options["metrics"] is not None:
        try:
            given["metrics"] = json.loads(options["metrics"].read_bytes())
        except ValueError as error:
            raise CommandError(f"{options['metrics']} is not valid JSON: {error}") from error
        if not isinstance(given["metrics"], dict):
            raise CommandError(f"{options['metrics']} is not valid JSON object.")
    return given


def _read_run(folder: Path, role: str) -> tuple[Path, str, Description]:
    """The weights of a finished training run, its name, and what it says of them."""
    from vision.training.publish import manifest_entry
    from vision.training.run import Run, RunError

    try:
        run = Run.load(folder)
        entry = manifest_entry(run, run.metrics(), {}, "card.md")
    except RunError as error:
        raise CommandError(str(error)) from error
    if run.role != role:
        raise CommandError(f"{folder} trained a model for {run.role}, not for {role}.")
    card = folder / entry["card"]
    description = Description(
        use={name: entry[name] for name in model_sets.USE if name in entry},
        calibrated=bool(entry.get("calibrated", False)),
        metrics=entry["metrics"],
        data_fingerprint=str(entry["data"]["fingerprint"]),
        licence=entry["licence"],
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
    )
    return run.weights, run.name, description

"""What the commands that import data sets share: their options, and the way from items to a folder."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from classifier.management.progress import ProgressBar
from core.commands import EnglishCommand

if TYPE_CHECKING:
    from vision.training.source import Item
    from vision.training.vocabulary import Vocabulary

VAL_SHARE = 0.2


class ImportCommand(EnglishCommand):
    """Needs no database."""

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the data set goes, and what becomes of classes."""
        parser.add_argument("--out", type=Path, required=True, help="folder of the data set; started again, it goes on")
        parser.add_argument(
            "--leave-out",
            action="append",
            default=[],
            metavar="ATTRIBUTE=CLASS,…",
            help="garments of these classes get no label of the attribute; may be given more than once",
        )
        parser.add_argument(
            "--merge",
            action="append",
            default=[],
            metavar="ATTRIBUTE=CLASS,…:INTO",
            help="these classes become another one; may be given more than once",
        )
        parser.add_argument(
            "--as-original", action="store_true", help="leave out the classes that the original left out"
        )
        parser.add_argument(
            "--val-share", type=float, default=VAL_SHARE, help="share of the images to measure on (%(default)s)"
        )
        parser.add_argument("--copy", action="store_true", help="copy the images instead of linking to them")
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one per core")

    def run(
        self,
        options: dict[str, Any],
        sources: dict[str, list[Path]],
        items_of: Callable[[Vocabulary], Sequence[Item]],
        *,
        keeps_unknown: bool = False,
        **description: Any,
    ) -> None:
        """Convert the items of the sources and print the statistics.

        `description` holds the command's own options that make another data set.
        """
        from vision.engine.taxonomy import Taxonomy
        from vision.training.conversion import ConversionError, convert, prepare
        from vision.training.dataset import TAXONOMY, LabelError
        from vision.training.files import write_json
        from vision.training.layout import Layout, describe
        from vision.training.vocabulary import LEFT_OUT_BY_ORIGINAL, Vocabulary, VocabularyError, joined

        leave_out = [*options["leave_out"], *(LEFT_OUT_BY_ORIGINAL if options["as_original"] else ())]
        if not 0.0 <= options["val_share"] < 1.0:
            raise CommandError("--val-share must be at least 0 and less than 1.")
        if options["processes"] < 1:
            raise CommandError("--processes must be at least 1.")
        description |= {name: [str(path.resolve()) for path in paths] for name, paths in sources.items()}
        description |= {name: options[name] for name in ("merge", "val_share", "copy")} | {"leave_out": leave_out}
        layout = Layout(options["out"], copies=options["copy"])
        folders = [path for paths in sources.values() for path in paths]
        taxonomies = [path / TAXONOMY for path in folders if (path / TAXONOMY).is_file()]
        try:
            taxonomy = joined(taxonomies)
            vocabulary = Vocabulary.load(
                leave_out, options["merge"], keeps_unknown=keeps_unknown, taxonomy=Taxonomy.parse(taxonomy)
            )
            items = items_of(vocabulary)
            prepare(layout, folders, description)
            if taxonomies:
                write_json(layout.root / TAXONOMY, taxonomy)
            statistics = convert(
                items,
                layout,
                vocabulary,
                processes=options["processes"],
                progress=ProgressBar(self.stderr if options["verbosity"] else None),
            )
        except (ConversionError, VocabularyError, LabelError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. The same command goes on from here.", returncode=130) from None
        self.stdout.write(describe(statistics))

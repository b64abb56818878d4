"""Converts foreign data into a data set's folder: on several processes, and on from an interruption."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from vision.training.files import write_json
from vision.training.layout import Layout, Record
from vision.training.source import Item
from vision.training.vocabulary import Vocabulary

DESCRIPTION = "import.json"
JOURNAL = "journal.jsonl"
CHUNK = 32  # items that a process takes at a time, and that an interruption loses at most

Progress = Callable[[int, int, int], None]
"""Is told how many items are done, how many there are, and how many were rejected."""


class ConversionError(ValueError):
    """The conversion cannot be done as asked; the message says why."""


def prepare(layout: Layout, sources: Sequence[Path], description: dict[str, Any]) -> None:
    """Open the folder for a conversion that `description` tells from others, or for going on with it.

    Raises ConversionError for a source that is not a folder, for a folder inside of a source, and for one that holds
    something else.
    """
    for source in sources:
        if not source.is_dir():
            raise ConversionError(f"{source} is not a folder.")
        if layout.root.resolve().is_relative_to(source.resolve()):
            raise ConversionError(f"{layout.root} lies in the source {source}, which stays as it is. Choose another.")
    path = layout.root / DESCRIPTION
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != description:
            raise ConversionError(
                f"{layout.root} holds another import, or one with other options ({path.name} has them). "
                "Choose a new folder."
            )
    elif layout.root.exists() and any(layout.root.iterdir()):
        raise ConversionError(f"{layout.root} holds other files. Choose a new folder.")
    layout.root.mkdir(parents=True, exist_ok=True)
    write_json(path, description)


def convert(
    items: Sequence[Item], layout: Layout, vocabulary: Vocabulary, *, processes: int, progress: Progress
) -> dict[str, Any]:
    """Convert what is not converted yet and write the tables; returns the statistics.

    What was rejected before is looked at again, in case it was put right.
    """
    journal = layout.root / JOURNAL
    records = {file: record for file, record in _read_journal(journal).items() if not record.reason}
    waiting = [item for item in items if item.file not in records]
    done, rejected = len(items) - len(waiting), 0
    progress(done, len(items), rejected)
    with journal.open("a", encoding="utf-8") as stream, closing(_run(waiting, layout, processes)) as chunks:
        stream.write("\n")  # ends a line that an interruption cut
        for chunk in chunks:
            for record in chunk:
                records[record.file] = record
                stream.write(json.dumps(record.as_dict()) + "\n")
                rejected += bool(record.reason)
            stream.flush()
            done += len(chunk)
            progress(done, len(items), rejected)
    return layout.finish([records[item.file] for item in items], vocabulary)


def _read_journal(path: Path) -> dict[str, Record]:
    """What became of each file, the last time counting."""
    records = {}
    if path.is_file():
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                try:
                    record = Record.from_dict(json.loads(line))
                except ValueError:  # an empty line, or one that an interruption cut
                    continue
                records[record.file] = record
    return records


def _run(items: Sequence[Item], layout: Layout, processes: int) -> Generator[list[Record]]:
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    work = partial(_convert_chunk, layout)
    if processes == 1:
        yield from map(work, chunks)
        return
    # Spawned rather than forked: the caller may have threads.
    with ProcessPoolExecutor(processes, get_context("spawn"), _follow_the_parent) as pool:
        yield from pool.map(work, chunks)


def _convert_chunk(layout: Layout, items: Sequence[Item]) -> list[Record]:
    return [layout.add(item) for item in items]


def _follow_the_parent() -> None:
    """Leave an interruption from the keyboard to the parent, and end with it, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

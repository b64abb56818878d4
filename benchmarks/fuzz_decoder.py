#!/usr/bin/env python
"""Look for files that the decoder of images answers with anything but an image or a coded refusal (atheris, libFuzzer).

It begins with the bad images of tests/support/bad_images.py, and changes what led somewhere new in our readers and in
Pillow's. The libraries in C that decode pixels are not compiled for it: a crash, a hang or too much memory in them is
seen, which branch led there is not. What is found is written to a file whose name is printed; the exit status is 1.

    python benchmarks/fuzz_decoder.py --seconds 3600
    python benchmarks/fuzz_decoder.py --file var/fuzz/crash-…     # look at one file again
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FOUND = ROOT / "var/fuzz"
MEGABYTES = 1_024
SECONDS_EACH = 20
_BYTES = 2**16
_PIXELS = 2_000_000  # that may be decoded: small images are many images


def look(data: bytes) -> None:
    """Do with the bytes what an upload does. Raises whatever is not a refusal."""
    from vision.engine.decode import Limits, decode, inspect
    from vision.engine.errors import DecodeError
    from vision.engine.locations import without_location

    kept = without_location(data)
    if without_location(kept) != kept:
        raise AssertionError("a place is found in what has none any more")
    try:
        inspect(kept, Limits(_PIXELS))
        decode(kept, detail=300, most_pixels=_PIXELS, max_pixels=Limits(_PIXELS))
    except DecodeError:
        pass


def fuzz(options: list[str]) -> None:
    """Look at changed files until the time is over; ends the process."""
    import warnings

    import atheris

    warnings.simplefilter("ignore")
    # Only what is imported in here for the first time is compiled so that atheris sees its branches.
    with atheris.instrument_imports(include=["vision.engine", "PIL"]):
        for name in ("PIL.Image", "pillow_heif", "vision.engine.decode", "vision.engine.locations"):
            importlib.import_module(name)
    from PIL import Image
    from pillow_heif import register_heif_opener

    register_heif_opener()
    Image.init()
    atheris.Setup([sys.argv[0], *options], look)
    atheris.Fuzz()


def _seeds(folder: Path) -> int:
    from tests.support.bad_images import corpus

    count = 0
    for bad in corpus():
        data = b"" if bad.large else bad.make()
        if 0 < len(data) <= _BYTES and bad.group != "names":
            (folder / str(count)).write_bytes(data)
            count += 1
    return count


def main() -> int:
    """Run it in a process of its own, and say in three lines what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3_600)
    parser.add_argument("--file", type=Path, help="only look at this file")
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.file:
        look(arguments.file.read_bytes())
        return 0
    if arguments.run:
        fuzz(arguments.run)
    FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="otjang-fuzz-") as folder:
        seeds = _seeds(Path(folder))
        options = [f"-max_total_time={arguments.seconds}", f"-max_len={_BYTES}", f"-timeout={SECONDS_EACH}"]
        options += [f"-report_slow_units={SECONDS_EACH}"]  # a busy machine is slow, not wrong
        options += [f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1", f"-artifact_prefix={FOUND}/", folder]
        command = [sys.executable, __file__, "--run", *options]
        with (FOUND / "log").open("w+b") as log:
            status = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False).returncode
            log.seek(0)
            said = log.read().decode(errors="replace")
    figures = dict(re.findall(r"stat::(\w+):\s+(\d+)", said))
    looked_at, new = (figures.get(name, "?") for name in ("number_of_executed_units", "new_units_added"))
    print(f"{seeds} files to begin with, {looked_at} looked at in {arguments.seconds} s")
    print(f"{new} led somewhere new, at most {figures.get('peak_rss_mb', '?')} MB")
    found = sorted(path.name for path in FOUND.iterdir() if path.name != "log")
    print(f"found: {', '.join(found) or 'nothing'}; log in {FOUND}/log")
    return 1 if status or found else 0


if __name__ == "__main__":
    sys.exit(main())

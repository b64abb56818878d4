"""Draw contact sheets for the docs: what `manage.py classify` finds in images that may be shown.

Synthetic people (openpeople, MIT) in two sheets, hits and misses, and the demo shop's images of single garments
(CC0) in a third. Each file is at most 400 KB.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.quality_figures import seen_in
from benchmarks.quality_images import ROOT, classify
from vision.evaluation.outfit_sheets import draw_outfits, is_hit
from vision.evaluation.outfits import Compared, Outfit, WornGarment, compare, read_outfits
from vision.training.dataset import read_dataset

MOST_BYTES = 400_000
DEMO = ROOT / "demo" / "images"
SOURCE_ROW = re.compile(r"^\| (\S+\.jpg) \| (\S+\.jpg) \|")
SHEETS = {
    "sheet-people-hits.jpg": "people of whom all garments were found and named right, with nothing beside them",
    "sheet-people-misses.jpg": "people with a mistake",
    "sheet-flat.jpg": "single garments, mistakes first",
}


def demo_outfits(data: Path) -> Iterator[Outfit]:
    """The demo shop's images of one garment, with the labels of the images that they were made from."""
    by_name = {image.path.name: image for image in read_dataset(data).images}
    for line in (DEMO / "SOURCES.md").read_text(encoding="utf-8").splitlines():
        row = SOURCE_ROW.match(line)
        image = by_name.get(row[2]) if row else None
        if row and image and image.box:
            yield Outfit(DEMO / row[1], (WornGarment(image.labels, image.box),))


def main() -> int:
    """Look at the images and write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True, help="folder of openpeople, with garments.csv")
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv, for the demo shop's images")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights", help="folder of manifest.json")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img", help="default: docs/img")
    options = parser.parse_args()
    people, flat = read_outfits(options.people / "garments.csv"), list(demo_outfits(options.data))
    lines = classify([outfit.path for outfit in (*people, *flat)], options.weights, None)
    worn, single = ([compare(outfit, seen_in(lines[outfit.path])) for outfit in some] for some in (people, flat))
    contents: dict[str, list[Compared]] = {
        "sheet-people-hits.jpg": [one for one in worn if is_hit(one)],
        "sheet-people-misses.jpg": [one for one in worn if not is_hit(one)],
        "sheet-flat.jpg": sorted(single, key=is_hit),
    }
    for name, shown in contents.items():
        print(f"{name}: {len(shown)} images of {SHEETS[name]}")
        (options.out / name).unlink(missing_ok=True)
        if shown:
            draw_outfits(options.out / name, shown, most_bytes=MOST_BYTES)
    return 0


if __name__ == "__main__":
    sys.exit(main())

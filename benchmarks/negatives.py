"""Write images without a garment into a folder, to train on or to look at; the quality run makes its own.

The same split and number give the same images; those of train and val differ. What is written is no part of the
repository.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vision.evaluation.negatives import write_negatives
from vision.training.dataset import read_dataset


def main() -> int:
    """Write the images and print how many of each kind there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/, for backgrounds")
    parser.add_argument("--split", required=True, choices=("train", "val"))
    parser.add_argument("--count", type=int, default=140, help="default: 140")
    parser.add_argument("--out", type=Path, required=True, help="folder for the images")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    written = write_negatives(options.out, read_dataset(options.data).images, options.split, options.count)
    for kind, count in Counter(negative.kind for negative in written).items():
        print(f"{kind}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

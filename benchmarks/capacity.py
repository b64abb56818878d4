"""What a million images cost, and how many workers twenty million a day need: reckoned from measured figures.

    python benchmarks/capacity.py
    python benchmarks/capacity.py --core-hour 0.06 --images-a-day 5000000

The day is simulated second by second: images come by chance, around a rate that follows the hours of a day, workers
take them from one queue at the speed that `make bench` measured, and what is left waits. Prices are options, because
they cannot be measured here; those by default are of the order of what large clouds ask for.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

CORES = 2  # of the machine on which a worker was measured
DAY = 86_400
PEAK = 1.9  # the busiest moment of the day, at 20:00, beside the mean one


@dataclass(frozen=True)
class Kind:
    """What one image of a kind takes. CPU in milliseconds, bytes in KB.

    Args:
        name: of the kind.
        speed: images a second of one worker on two cores (docs/benchmarks.md).
        worker: CPU of the worker (docs/benchmarks.md).
        web: CPU of the web process per upload, checking and copies included (docs/benchmarks.md).
        database: CPU of MariaDB: a fifth of the worker's, the upper end of what was seen.
        files: the upload, two copies and a small one.
        rows: in the database with indexes, product and values by four images each (docs/scale.md).
    """

    name: str
    speed: float
    worker: float
    web: float
    database: float
    files: float
    rows: float

    @property
    def cpu(self) -> float:
        return self.worker + self.web + self.database


# Small ones: seven flat ones of about 400 × 533 to three worn ones, as the measured run through the API had them.
SMALL = Kind("small", 1 / (0.7 / 28.83 + 0.3 / 22.71), 60.7, 54.6, 12.1, 105.7, 4.0)
LARGE = Kind("12 megapixels", 18.2, 96.4, 175.9, 19.3, 939.9, 4.0)
FILES = 4  # of an image: what is put; one of them is read again by the worker


@dataclass(frozen=True)
class Prices:
    """In dollars."""

    core_hour: float
    gb_month: float
    million_puts: float
    million_gets: float
    database_gb_month: float


def cost_of_a_million(kind: Kind, prices: Prices) -> dict[str, str]:
    """Reckon the table's lines."""
    core_hours = kind.cpu * 1e6 / 1000 / 3600
    put, read = FILES * prices.million_puts, prices.million_gets
    return {
        "worker, web, database: ms of CPU an image": f"{kind.worker} + {kind.web} + {kind.database}",
        "core-hours": f"{core_hours:.0f}",
        "CPU": f"{core_hours * prices.core_hour:.2f} $",
        "putting 4 files each, reading one": f"{put + read:.2f} $",
        "files (GB)": f"{kind.files:.0f}",
        "keeping them, a month": f"{kind.files * prices.gb_month:.2f} $",
        "database (GB)": f"{kind.rows:.0f}",
        "keeping it, a month": f"{kind.rows * prices.database_gb_month:.2f} $",
    }


def arrivals(images: int, chance: random.Random) -> Iterator[int]:
    """Yield how many images come in each second of a day that begins where the fewest come."""
    for second in range(DAY):
        rate = images / DAY * _course(second)
        yield max(0, round(chance.gauss(rate, math.sqrt(rate))))


def _course(second: int) -> float:
    """How much comes in a second beside the day's mean: the day begins at 8:00, when it is least."""
    return 1 - (PEAK - 1) * math.cos(2 * math.pi * second / DAY)


@dataclass(frozen=True)
class Day:
    """What a day was like with so many workers."""

    workers: int
    busy: float
    longest_queue: int
    p95_wait: float
    left: int


def simulate(images: int, workers: int, speed: float, seed: int = 1) -> Day:
    """Let a day pass; a wait is that of an image that comes last in the queue of its second."""
    capacity = workers * speed
    waiting = done = longest = 0.0
    waits: list[tuple[float, int]] = []
    for came in arrivals(images, random.Random(seed)):
        waiting += came
        taken = min(waiting, capacity)
        waiting -= taken
        done += taken
        longest = max(longest, waiting)
        waits.append((waiting / capacity, came))
    return Day(workers, done / (capacity * DAY), round(longest), _percentile(waits, 0.95), round(waiting))


def _percentile(waits: list[tuple[float, int]], share: float) -> float:
    left = share * sum(count for _wait, count in waits)
    for wait, count in sorted(waits):
        left -= count
        if left <= 0:
            return wait
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images-a-day", type=int, default=20_000_000)
    parser.add_argument("--core-hour", type=float, default=0.04)
    parser.add_argument("--gb-month", type=float, default=0.023)
    parser.add_argument("--million-puts", type=float, default=5.0)
    parser.add_argument("--million-gets", type=float, default=0.4)
    parser.add_argument("--database-gb-month", type=float, default=0.115)
    options = parser.parse_args()
    prices = Prices(
        options.core_hour, options.gb_month, options.million_puts, options.million_gets, options.database_gb_month
    )
    small, large = cost_of_a_million(SMALL, prices), cost_of_a_million(LARGE, prices)
    print(f"| a million images | {SMALL.name} | {LARGE.name} |\n|---|---:|---:|")
    for line, figure in small.items():
        print(f"| {line} | {figure} | {large[line]} |")
    mean = options.images_a_day / DAY
    print(f"\n{options.images_a_day:,} images a day, {mean:.0f} a second, of them {SMALL.speed:.1f} by a worker\n")
    print("| workers | cores | busy | longest queue | p95 of waiting | left in the morning |")
    print("|---:|---:|---:|---:|---:|---:|")
    least = math.ceil(mean / SMALL.speed)
    for workers in (least, math.ceil(least * 1.33), math.ceil(least * 1.67), least * 2, math.ceil(least * 2.5)):
        day = simulate(options.images_a_day, workers, SMALL.speed)
        wait = f"{day.p95_wait / 60:.0f} min" if day.p95_wait > 120 else f"{day.p95_wait:.1f} s"
        print(f"| {workers} | {workers * CORES} | {day.busy:.0%} | {day.longest_queue:,} | {wait} | {day.left:,} |")


if __name__ == "__main__":
    main()

"""How often a calibrated threshold breaks its promise: simulated models, of which the true precision is known.

    python benchmarks/thresholds.py [--runs 300] [--precision 0.98]

Confidences are drawn evenly from 0.5 to 1, and each model is right with a chance that depends on the confidence. A
threshold breaks its promise if the true precision of what it accepts is below the required one.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from classifier.precision import Outcome, choose, curve

STEPS = 2000
DECISIONS = (150, 300, 1000, 3000)
MODELS: dict[str, Callable[[float], float]] = {
    "right as often as it says": lambda confidence: confidence,
    "better than it says, all right from 0.9 on": lambda confidence: min(1.0, 0.9 + (confidence - 0.5) / 4),
    "right in 97 % of cases, however sure": lambda confidence: 0.97,
}


def true_precision(threshold: float, chance: Callable[[float], float]) -> float:
    """The mean chance of being right from the threshold on."""
    step = (1 - threshold) / STEPS
    return sum(chance(threshold + step * (place + 0.5)) for place in range(STEPS)) / STEPS


def thresholds(chance: Callable[[float], float], decisions: int, runs: int, precision: float) -> list[float]:
    """Thresholds of the runs that got one; the same ones every time."""
    chosen = []
    for seed in range(runs):
        rng = random.Random(seed)
        drawn = [rng.uniform(0.5, 1) for _ in range(decisions)]
        outcomes = [Outcome(round(confidence, 4), rng.random() < chance(confidence)) for confidence in drawn]
        point = choose(curve(outcomes), precision)
        if point is not None:
            chosen.append(point.threshold)
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--precision", type=float, default=0.98)
    options = parser.parse_args()
    print("| model | decisions | threshold found | promise broken | lowest true precision |\n|---|---|---|---|---|")
    for name, chance in MODELS.items():
        for decisions in DECISIONS:
            chosen = thresholds(chance, decisions, options.runs, options.precision)
            true = [true_precision(threshold, chance) for threshold in chosen]
            broken = sum(precision < options.precision for precision in true)
            shares = f"{len(chosen) / options.runs:.1%} | {broken / options.runs:.1%}"
            print(
                f"| {name} | {decisions} | {shares} | {min(true):.3f} |"
                if true
                else f"| {name} | {decisions} | {shares} | |"
            )


if __name__ == "__main__":
    main()

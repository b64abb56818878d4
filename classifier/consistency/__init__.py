"""Whether database and storage agree with themselves and each other; nothing here knows what clients were told.

Each check walks a table, or the storage, once and looks for the kinds that can be seen there. What a worker puts right
within seconds or hours is found only when it is older than that, and what seems wrong is looked at again with its
product locked: on a site that is being used, nothing is found that was just being written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from classifier.consistency.doubles import GARMENTS, PREDICTIONS
from classifier.consistency.files import IMAGE_FILES
from classifier.consistency.images import IMAGES
from classifier.consistency.jobs import LEASES, UNAPPLIED
from classifier.consistency.overdue import OVERDUE
from classifier.consistency.products import PRODUCTS
from classifier.consistency.terms import TERMS
from classifier.consistency.walking import Check, Kind, Step

__all__ = ["CHECKS", "KINDS", "Findings", "audit"]

CHECKS = (LEASES, UNAPPLIED, IMAGES, PRODUCTS, TERMS, PREDICTIONS, GARMENTS, *OVERDUE, IMAGE_FILES)
KINDS = {kind.code: kind for check in CHECKS for kind in check.kinds}

_SHOWN = 10
_MENDED_AT_ONCE = 500


@dataclass
class Findings:
    """What was found of one kind.

    Args:
        kind: which.
        count: how many there are.
        first: the first ten, as people look for them.
    """

    kind: Kind
    count: int = 0
    first: list[str] = field(default_factory=list)
    _waiting: list[Any] = field(default_factory=list, repr=False)

    def add(self, name: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(name)

    def mend_later(self, key: Any) -> None:
        """Put it right when there are enough for one go."""
        self._waiting.append(key)
        if len(self._waiting) >= _MENDED_AT_ONCE:
            self.mend()

    def mend(self) -> None:
        """Put right what waits for it."""
        if self._waiting and self.kind.mend is not None:
            self.kind.mend(self._waiting)
        self._waiting = []


def audit(
    asked: Collection[str] = tuple(KINDS),
    *,
    fix: bool = False,
    progress: Callable[[Check, Step], None] = lambda _check, _step: None,
) -> dict[str, Findings]:
    """Look for the kinds that are asked for.

    Args:
        asked: their codes.
        fix: put right what can be put right without a person, by the services and sweeps that do it anyway.
        progress: is told of every batch.

    Returns:
        What was found, by code, in the order of `KINDS`.
    """
    found = {code: Findings(kind) for code, kind in KINDS.items() if code in asked}
    for check in CHECKS:
        wanted = {kind.code for kind in check.kinds} & found.keys()
        if not wanted:
            continue
        for step in check.walk(wanted):
            for one in step.found:
                if one.kind in wanted:
                    found[one.kind].add(one.name)
                    if fix:
                        found[one.kind].mend_later(one.key)
            progress(check, step)
        for code in wanted:
            found[code].mend()
    return found

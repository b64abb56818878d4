"""The same thing done to many products, as one operation that shows its progress and can be undone as a whole.

- `actions`: what may be done, and what it does to one product.
- `preview`: how many products it would be, and which kinds of them it cannot be done to.
- `starting`: an operation begins with its products fixed as rows, is paused, cancelled, or undone by another one.
- `steps`: what becomes of some of its products, in one transaction.
- `running`: a request or a worker goes on with it, step by step, under a lease.
"""

from catalog.services.bulk.actions import ACTIONS, KIND, UNDO, Action, Work, action_of, provide
from catalog.services.bulk.preview import Preview, look_ahead
from catalog.services.bulk.running import Counts, counts_of, run, run_at_once
from catalog.services.bulk.starting import (
    AT_ONCE,
    UNDO_FOR,
    can_undo,
    changed_by,
    last_operation,
    of_merchant,
    prune,
    start,
    start_undo,
)

__all__ = [
    "ACTIONS",
    "AT_ONCE",
    "KIND",
    "UNDO",
    "UNDO_FOR",
    "Action",
    "Counts",
    "Preview",
    "Work",
    "action_of",
    "can_undo",
    "changed_by",
    "counts_of",
    "last_operation",
    "look_ahead",
    "of_merchant",
    "provide",
    "prune",
    "run",
    "run_at_once",
    "start",
    "start_undo",
]

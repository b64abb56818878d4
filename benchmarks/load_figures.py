"""What the load test wants of its callers, and what they measured: passed between processes as JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

REFUSALS = (429, 503)
KNEE_MS, KNEE_REFUSED = 1000.0, 0.01


@dataclass(frozen=True)
class Stage:
    """So many callers at once.

    Attributes:
        settle: seconds that do not count, before.
        seconds: that count; 0 is until the process is told to end.
    """

    users: int
    settle: float
    seconds: float


@dataclass(frozen=True)
class Wanted:
    """What callers need to know.

    Attributes:
        address: of the site, without a slash at its end.
        who: names of the kinds of callers (`benchmarks.load_users`); each has its own share.
        stages: one after the other.
        sessions: of people who browse, by cookie; `reviewers` of those who review.
        keys: of programs that read and decide.
        upload_session: of a person, and `upload_key` of a program, who upload to the same merchant.
        photos: a folder of JPEG files.
    """

    address: str
    who: Sequence[str]
    stages: Sequence[Stage]
    sessions: Sequence[str]
    reviewers: Sequence[str]
    keys: Sequence[str]
    upload_session: str
    upload_key: str
    photos: str

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Wanted:
        """Read what `to_json` wrote."""
        fields = json.loads(line)
        return cls(**fields | {"stages": [Stage(**stage) for stage in fields["stages"]]})


@dataclass
class Measured:
    """What so many callers met.

    Attributes:
        ms: how long each answer took that was none of refusal, by the kind of request.
        refused: how long each 429 or 503 took that said when to come again.
        faults: everything else, counted: other statuses, refusals that say nothing, no answer.
    """

    users: int
    seconds: float = 0.0
    ms: dict[str, list[float]] = field(default_factory=dict)
    refused: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, status: int, ms: float, retry_after: str | None) -> None:
        """Count an answer; status 0 is none."""
        if status in REFUSALS and (retry_after or "").isdigit():
            self.refused.append(ms)
        elif 200 <= status < 400 or status == 409:  # 409: somebody else was quicker at the same product
            self.ms.setdefault(kind, []).append(ms)
        else:
            self.faults[f"{kind} {status or 'without an answer'}"] += 1

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, line: str) -> Measured:
        """Read what `to_json` wrote."""
        fields = json.loads(line)
        return cls(**fields | {"faults": Counter(fields["faults"])})

    def times(self, *kinds: str) -> list[float]:
        """All times of these kinds of requests in their order of length, of every kind without any."""
        return sorted(ms for kind in kinds or self.ms for ms in self.ms.get(kind, ()))

    def percentile(self, share: float, *kinds: str) -> float:
        """How many ms this share of the answers took at most; NaN without any."""
        return percentile(self.times(*kinds), share)

    @property
    def rate(self) -> float:
        """Answers a second, without those turned away."""
        return len(self.times()) / self.seconds if self.seconds else math.nan

    @property
    def refused_share(self) -> float:
        """The share of requests that were turned away with a time to come again."""
        asked = len(self.times()) + len(self.refused)
        return len(self.refused) / asked if asked else 0.0


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the ordered values does not exceed; NaN without any."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else math.nan


def knee(found: Sequence[Measured]) -> Measured | None:
    """The most callers of which 95 % are answered within KNEE_MS and hardly any is turned away; None for no step."""
    before = [one for one in found if one.percentile(0.95) < KNEE_MS and one.refused_share < KNEE_REFUSED]
    return max(before, key=lambda one: one.users, default=None)

"""`manage.py audit_data`: compares database and storage."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from classifier.consistency import CHECKS, KINDS, Findings, audit
from classifier.consistency.walking import Check, Step
from core.commands import EnglishCommand

_SECONDS = 5.0


class Command(EnglishCommand):
    """Reads only, beside a site that is being used. Exits with 1 if anything is wrong."""

    help = "Compare database and storage, and list what is wrong, by kind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to look for, and what to do about it."""
        parser.add_argument(
            "--only",
            action="append",
            choices=tuple(KINDS),
            metavar="KIND",
            help=f"one of {', '.join(KINDS)}; repeatable",
        )
        parser.add_argument("--fix", action="store_true", help="put right what is safe to, then look again")
        parser.add_argument("--json", action="store_true", help="print all as JSON")

    def handle(self, *args: Any, only: list[str] | None, fix: bool, **options: Any) -> None:
        """Look, put right if asked to, and look again for what was found."""
        found = audit(only or tuple(KINDS), fix=fix, progress=_Progress(self.stderr))
        wrong = [code for code, findings in found.items() if findings.count]
        left = audit(wrong, progress=_Progress(self.stderr)) if fix and wrong else found
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(found, left, fix=fix), ensure_ascii=False, indent=1))
        else:
            self._show(found, left, fix=fix)
        if any(findings.count for findings in left.values()):
            sys.exit(1)

    def _show(self, found: dict[str, Findings], left: dict[str, Findings], *, fix: bool) -> None:
        for code, findings in found.items():
            after = f", {left[code].count} left" if fix and findings.count else ""
            self.stdout.write(f"{code}: {findings.count}{after}  ({findings.kind.sentence})")
            if findings.first:
                self.stdout.write(f"    {', '.join(findings.first)}")


def _as_json(found: dict[str, Findings], left: dict[str, Findings], *, fix: bool) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {}
    for code, findings in found.items():
        kinds[code] = {"count": findings.count, "first": findings.first}
        if fix:
            kinds[code]["left"] = left[code].count if code in left else 0
    return {"findings": sum(findings.count for findings in left.values()), "kinds": kinds}


class _Progress:
    """A line on stderr for every check, and one every few seconds for those that take longer."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._check: Check | None = None
        self._shown = 0.0

    def __call__(self, check: Check, step: Step) -> None:
        now = time.monotonic()
        if check is self._check and now - self._shown < _SECONDS:
            return
        self._check, self._shown = check, now
        place = CHECKS.index(check) + 1
        share = 100 * step.done // max(step.total, 1)
        self._stream.write(f"{place}/{len(CHECKS)} {check.name}: {share}%", style_func=str)

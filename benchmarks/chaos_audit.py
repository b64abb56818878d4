"""The chaos proof's own comparison, beside that of the outage proof and `manage.py audit_data`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.chaos_clients import Decided
from benchmarks.outage_audit import Audit
from benchmarks.sides import ROOT


def audit_poison(result: Audit, poisoned: Sequence[str]) -> None:
    """See that what kills workers was given up after its attempts, and nothing else was."""
    from django.conf import settings

    from classifier.models import Classification

    attempts, gave_up = settings.OTJANG_MAX_ATTEMPTS, Classification.Error.GAVE_UP
    first = Classification.objects.filter(operation=None)
    for name, jobs in (
        ("images that kill that were not given up", first.exclude(error_code=gave_up)),
        (f"images that kill given up after other than {attempts} attempts", first.exclude(attempts=attempts)),
    ):
        result.must_be_zero(name, jobs.filter(image__sha256__in=poisoned))
    innocent = Classification.objects.filter(error_code=gave_up).exclude(image__sha256__in=poisoned)
    result.must_be_zero("images given up that kill nobody", innocent)


def audit_decisions(result: Audit, decided: Sequence[Decided]) -> None:
    """Compare what a client decided with the rows, and with what holds now."""
    from django.db.models import Count

    from catalog.models import Decision, ProductAttribute

    rows = dict(Decision.objects.exclude(reason="").order_by().values_list("reason").annotate(Count("pk")))
    now = {
        (product, attribute): value
        for product, attribute, value in ProductAttribute.objects.filter(state="decided").values_list(
            "product__public_id", "attribute__code", "value__code"
        )
    }
    told = [one for one in decided if one.acknowledged]
    result.figures["decisions acknowledged"] = len(told)
    result.figures["of them after a lost answer"] = sum(one.lost > 0 for one in told)
    result.must_be_zero("acknowledged decisions lost", (one for one in told if one.reason not in rows))
    result.must_be_zero("people's decisions stored twice", (reason for reason, times in rows.items() if times > 1))
    result.must_be_zero(
        "acknowledged decisions that do not hold",
        (one for one in told if now.get((one.product, one.attribute)) != one.value),
    )


def audit_operations(result: Audit) -> None:
    """See that operations have ended, and have counted what they did."""
    from accounts.models import Operation

    ended = Operation.objects.order_by("pk")
    result.figures["images of reclassifications"] = ", ".join(f"{one.done} of {one.total}" for one in ended)
    result.must_be_zero("operations that have not ended well", ended.exclude(state=Operation.State.DONE))
    result.must_be_zero("operations that counted wrong", (one for one in ended if one.done + one.failed != one.total))


def audit_data(result: Audit) -> None:
    """Run `manage.py audit_data` as an operator does."""
    command = [sys.executable, "manage.py", "audit_data", "--json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = json.loads(ran.stdout)
    result.figures["kinds that audit_data looks for"] = len(said["kinds"])
    found = [f"{kind} {what['count']}: {what['first'][:3]}" for kind, what in said["kinds"].items() if what["count"]]
    result.must_be_zero("kinds that audit_data finds something of", found)

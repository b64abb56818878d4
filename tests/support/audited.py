"""Asking `manage.py audit_data` what it finds."""

import io
import json

from django.core.management import call_command


def audited(*only, **options):
    """Return the command's answer as JSON, and its exit status."""
    out, status = io.StringIO(), 0
    try:
        call_command("audit_data", only=list(only) or None, json=True, stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as ended:
        status = ended.code
    return json.loads(out.getvalue()), status


def findings(*only):
    """Return what it found, by kind: the first ten of each."""
    answer, status = audited(*only)
    found = {kind: one["first"] for kind, one in answer["kinds"].items() if one["count"]}
    assert status == bool(found)
    return found

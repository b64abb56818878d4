"""The audit trail works when it is partitioned as docs/backup.md says, and a year of it is dropped at once."""

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import AuditEvent
from tests.support.other_site import other_site

pytestmark = pytest.mark.django_db(transaction=True)


def documented():
    """The statements that the documentation gives to operators."""
    text = (settings.BASE_DIR / "docs" / "backup.md").read_text()
    block = re.search(r"```sql\n(.+?)```", text, re.DOTALL).group(1)
    return [statement for statement in block.split(";") if statement.strip()]


def run(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_the_trail_is_partitioned_by_the_documented_statements():
    if connection.vendor != "mysql":
        pytest.skip("SQLite has no partitions")
    with connection.cursor() as cursor:
        cursor.execute("SHOW CREATE TABLE accounts_auditevent")
        table = cursor.fetchone()[1]
    with other_site():
        run("SET foreign_key_checks = 0", table, *documented(), "SET foreign_key_checks = 1")
        for year in (2026, 2027, 2031):
            event = AuditEvent.objects.create(channel="portal", action=f"in.{year}", subject_type="x", subject_id="1")
            AuditEvent.objects.filter(pk=event.pk).update(created_at=datetime(year, 6, 1, tzinfo=UTC))
        assert [event.action for event in AuditEvent.objects.all()] == ["in.2031", "in.2027", "in.2026"]
        run("ALTER TABLE accounts_auditevent DROP PARTITION y2026")
        assert [event.action for event in AuditEvent.objects.all()] == ["in.2031", "in.2027"]
        AuditEvent.objects.filter(action="in.2027").delete()
        assert AuditEvent.objects.get().action == "in.2031"

"""Everybody who could log in until now goes on: their e-mails count as confirmed."""

from django.db import migrations

_BATCH = 1000


def confirm(apps, schema_editor):
    """Give everybody an address that counts as confirmed, some at a time."""
    user_model = apps.get_model("accounts", "User")
    address_model = apps.get_model("account", "EmailAddress")
    last = 0
    while people := list(user_model.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "email")[:_BATCH]):
        last = people[-1][0]
        known = set(
            address_model.objects.filter(user_id__gte=people[0][0], user_id__lte=last).values_list("user_id", flat=True)
        )
        rows = [
            address_model(user_id=pk, email=email.lower(), verified=True, primary=True)
            for pk, email in people
            if pk not in known
        ]
        address_model.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_people"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(confirm, migrations.RunPython.noop, atomic=False, elidable=True)]

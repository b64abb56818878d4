from django.db import migrations, models


def scopes_of_old_keys(apps, schema_editor):
    """A key that was read only has the scope to read alone; every other one has all of them."""
    ApiKey = apps.get_model("accounts", "ApiKey")
    ApiKey.objects.using(schema_editor.connection.alias).filter(read_only=True).update(
        may_write=False, may_classify=False
    )


def read_only_again(apps, schema_editor):
    ApiKey = apps.get_model("accounts", "ApiKey")
    ApiKey.objects.using(schema_editor.connection.alias).filter(may_write=False).update(read_only=True)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0011_admin_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="may_read",
            field=models.BooleanField(default=True, verbose_name="reads"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="may_write",
            field=models.BooleanField(default=True, verbose_name="changes"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="may_classify",
            field=models.BooleanField(default=True, verbose_name="classifies without storing"),
        ),
        migrations.RunPython(scopes_of_old_keys, read_only_again),
        migrations.RemoveField(
            model_name="apikey",
            name="read_only",
        ),
        migrations.AddField(
            model_name="apikey",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="good until"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="rotated_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="secret replaced"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_hash",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_until",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="old secret good until"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_used_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="old secret last used"),
        ),
    ]

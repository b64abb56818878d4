from collections import defaultdict

import django.db.models.deletion
from django.db import migrations, models


def give_turns(apps, schema_editor):
    """Let what waits already take turns, as if it had been queued with them; what is done needs none."""
    jobs = apps.get_model("classifier", "Classification").objects.using(schema_editor.connection.alias)
    turns = defaultdict(int)
    waiting = jobs.filter(open_key__isnull=False).order_by("id")
    for pk, merchant, priority in waiting.values_list("pk", "image__product__merchant", "priority"):
        jobs.filter(pk=pk).update(merchant=merchant, turn=turns[merchant, priority])
        turns[merchant, priority] += 1


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_field_labels'),
        ('catalog', '0006_pending_files'),
        ('classifier', '0007_chores'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='classification',
            name='classification_queue',
        ),
        migrations.AddField(
            model_name='classification',
            name='merchant',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.merchant'),
        ),
        migrations.AddField(
            model_name='classification',
            name='not_before',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='classification',
            name='turn',
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='classification',
            name='error_code',
            field=models.CharField(blank=True, choices=[('model_not_available', 'Model not available. The photograph is kept and will be classified when the model is there.'), ('model_refused', 'Model not available: its file is not the one that was released. The photograph is kept and waits.'), ('file_missing', "The photograph's file is missing. Upload it again."), ('unreadable', 'The photograph cannot be read. Upload it again.'), ('storage_unavailable', 'The storage does not answer. The photograph is kept and will be classified as soon as it does.'), ('gave_up', 'The classification broke off several times and was given up. You can start it again.')], max_length=40, verbose_name='error'),
        ),
        migrations.RunPython(give_turns, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='classification',
            index=models.Index(fields=['state', 'priority', 'turn', 'id'], name='classification_turns'),
        ),
        migrations.AddIndex(
            model_name='classification',
            index=models.Index(fields=['merchant', 'state', 'priority', 'turn'], name='classification_merchant'),
        ),
        migrations.AddIndex(
            model_name='classification',
            index=models.Index(fields=['operation', 'state'], name='classification_operation'),
        ),
        migrations.AddIndex(
            model_name='classification',
            index=models.Index(fields=['purpose', 'applied_at', 'state', 'finished_at'], name='classification_unapplied'),
        ),
    ]

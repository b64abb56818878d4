"""One word for each thing, also in the figures of reports."""

import django.db.models.deletion
from django.db import migrations, models


def _rename_figure(apps, old, new):
    reports = apps.get_model('classifier', 'ShadowReport').objects
    for report in reports.only('figures').order_by('pk'):
        if old in report.figures:
            report.figures = {new if name == old else name: said for name, said in report.figures.items()}
            report.save(update_fields=['figures'])


def name_images(apps, schema_editor):
    """Call a report's images so."""
    _rename_figure(apps, 'photographs', 'images')


def name_photographs(apps, schema_editor):
    """Call them as before."""
    _rename_figure(apps, 'images', 'photographs')


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0007_words'),
        ('classifier', '0008_queue_turns'),
    ]

    operations = [
        migrations.AlterField(
            model_name='acceptancethreshold',
            name='enabled',
            field=models.BooleanField(default=True, help_text='Off: nothing of this scope is auto-accepted.', verbose_name='in use'),
        ),
        migrations.AlterField(
            model_name='classification',
            name='error_code',
            field=models.CharField(blank=True, choices=[('model_not_available', 'Model not available. The photo is kept and will be classified when the model is there.'), ('model_refused', 'Model not available: its file is not the one that was released. The photo is kept and waits.'), ('file_missing', "The photo's file is missing. Upload it again."), ('unreadable', 'The photo cannot be read. Upload it again.'), ('storage_unavailable', 'The storage does not answer. The photo is kept and will be classified as soon as it does.'), ('gave_up', 'The classification broke off several times and was given up. You can start it again.')], max_length=40, verbose_name='error'),
        ),
        migrations.AlterField(
            model_name='classification',
            name='image',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='classifications', to='catalog.productimage', verbose_name='photo'),
        ),
        migrations.RunPython(name_images, name_photographs),
    ]

"""Models may say that a photo does not show an attribute."""

from django.db import migrations, models


class Migration(migrations.Migration):
    # The column may be NULL: a table of millions gets it at once, and workers of the release before go on adding rows.

    dependencies = [
        ('classifier', '0009_words'),
    ]

    operations = [
        migrations.AddField(
            model_name='garment',
            name='hidden',
            field=models.JSONField(blank=True, editable=False, null=True, verbose_name='not visible in the photo'),
        ),
    ]

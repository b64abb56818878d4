"""People draw garments, and change or remove what models found."""
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # The new columns may be NULL or have a default of the database's: workers of the release before go on adding rows.
    # MariaDB copies the table of garments for each key and for the constraint, about a minute for ten million rows.

    dependencies = [
        ('catalog', '0008_image_checksums'),
        ('classifier', '0010_hidden_attributes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='classification',
            name='drawn_only',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='only boxes that people drew'),
        ),
        migrations.AddField(
            model_name='garment',
            name='absent',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='removed by a person'),
        ),
        migrations.AddField(
            model_name='garment',
            name='covered_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='covers', to='classifier.garment'),
        ),
        migrations.AddField(
            model_name='garment',
            name='described_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='classifier.modelset', verbose_name='model set'),
        ),
        migrations.AddField(
            model_name='garment',
            name='ended_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='garment',
            name='replaces',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaced_by', to='classifier.garment'),
        ),
        migrations.AddField(
            model_name='garment',
            name='top_category',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.attributevalue', verbose_name='top-level category'),
        ),
        migrations.AddConstraint(
            model_name='garment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('covered_by', None), ('source', 'human')), models.Q(('absent', False), ('ended_at', None), ('source', 'model')), _connector='OR'), name='garment_drawn'),
        ),
    ]


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_pending_files'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='productimage',
            options={'ordering': ('position', 'id'), 'verbose_name': 'photo', 'verbose_name_plural': 'photos'},
        ),
        migrations.RenameField(
            model_name='decision',
            old_name='via',
            new_name='channel',
        ),
        migrations.AlterField(
            model_name='attribute',
            name='applies_to',
            field=models.ManyToManyField(blank=True, help_text='Top-level categories that have this attribute; none chosen means all.', limit_choices_to={'attribute__code': 'category', 'parent': None}, related_name='+', to='catalog.attributevalue', verbose_name='applies to'),
        ),
        migrations.AlterField(
            model_name='attributevalue',
            name='parent',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='catalog.attributevalue', verbose_name='top-level category'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='answers',
            field=models.CharField(blank=True, choices=[('', 'no proposal'), ('proposal', 'a proposal'), ('sample', 'a sample of what would have been auto-accepted'), ('accepted', 'what was auto-accepted'), ('published', 'published as it stood')], default='', max_length=9, verbose_name='answers'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='source',
            field=models.CharField(choices=[('human', 'person'), ('auto', 'auto-accepted'), ('import', 'import')], max_length=6, verbose_name='source'),
        ),
        migrations.AlterField(
            model_name='productattribute',
            name='state',
            field=models.CharField(choices=[('unset', 'open'), ('proposed', 'proposed'), ('auto', 'auto-accepted'), ('decided', 'decided'), ('not_applicable', 'not applicable')], default='unset', max_length=14, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='channel',
            field=models.CharField(choices=[('portal', 'portal'), ('admin', 'admin'), ('api', 'API'), ('command', 'command')], max_length=10, verbose_name='channel'),
        ),
    ]

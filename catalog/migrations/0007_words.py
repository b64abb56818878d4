"""One word for each thing: in columns, and in the JSON that is stored."""

import django.db.models.deletion
from django.db import migrations, models

_BATCH = 500

# Keys of the proposal's candidates, and what every candidate and each of its values holds since.
_CANDIDATE = {'first_level': 'top_category', 'photographs': 'images', 'of': 'total'}
_CANDIDATE_DEFAULTS = {'chosen': False}
_VALUE_DEFAULTS = {'calibrated': False, 'alternatives': [], 'model': '', 'acceptance': ''}

# Keys of what the audit trail says of these actions.
_DETAILS = {'first_level': 'top_category', 'photographs': 'images'}
_CHOSE_BEFORE, _CHOSE = 'product.choose_row', 'product.choose_top_category'
_ACTIONS = (_CHOSE_BEFORE, 'product.review', 'product.delete', 'product.classify_again')


def _renamed(entry, names):
    return {names.get(key, key): value for key, value in entry.items()}


def _reversed(names):
    return {new: old for old, new in names.items()}


def _to_types(candidate):
    candidate = _CANDIDATE_DEFAULTS | _renamed(candidate, _CANDIDATE)
    values = {code: _VALUE_DEFAULTS | value for code, value in candidate['attributes'].items()}
    return candidate | {'attributes': values}


def _to_entries(candidate):
    # No mark at all said before that a value may not be accepted; what else was filled in, the code before reads too.
    values = {
        code: {key: said for key, said in value.items() if key != 'acceptance' or said}
        for code, value in candidate['attributes'].items()
    }
    return _renamed(candidate, _reversed(_CANDIDATE)) | {'attributes': values}


def _convert(rows, field, convert):
    """Write what `convert` makes of a column of JSON, some rows at a time; what stays the same is left alone."""
    last = 0
    while batch := list(rows.only(field).filter(pk__gt=last).order_by('pk')[:_BATCH]):
        last = batch[-1].pk
        changed = []
        for row in batch:
            before = getattr(row, field)
            after = convert(before)
            if after != before:
                setattr(row, field, after)
                changed.append(row)
        rows.model.objects.bulk_update(changed, [field])


def name_what_is_stored(apps, schema_editor):
    """Convert proposals to what catalog.proposal.parse reads, and the audit trail's details to the same words."""
    products = apps.get_model('catalog', 'Product').objects.all()
    _convert(products, 'proposal', lambda entries: [_to_types(entry) for entry in entries])
    events = apps.get_model('accounts', 'AuditEvent').objects.filter(action__in=_ACTIONS)
    _convert(events, 'details', lambda details: _renamed(details, _DETAILS))
    events.filter(action=_CHOSE_BEFORE).update(action=_CHOSE)


def forget_these_names(apps, schema_editor):
    """Convert them back."""
    products = apps.get_model('catalog', 'Product').objects.all()
    _convert(products, 'proposal', lambda candidates: [_to_entries(candidate) for candidate in candidates])
    every = apps.get_model('accounts', 'AuditEvent').objects
    every.filter(action=_CHOSE).update(action=_CHOSE_BEFORE)
    _convert(every.filter(action__in=_ACTIONS), 'details', lambda details: _renamed(details, _reversed(_DETAILS)))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_words'),
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
        migrations.RemoveConstraint(
            model_name='product',
            name='product_row_source',
        ),
        migrations.RenameField(
            model_name='product',
            old_name='row',
            new_name='top_category',
        ),
        migrations.RenameField(
            model_name='product',
            old_name='row_source',
            new_name='top_category_source',
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('top_category', None), ('top_category_source__in', ('', 'human'))), models.Q(('top_category__isnull', False), ('top_category_source__in', ('auto', 'human'))), _connector='OR'), name='product_top_category_source'),
        ),
        migrations.RunPython(name_what_is_stored, forget_these_names, atomic=False),
    ]

"""Whether the release before can run on the tables that a migration leaves.

Old processes insert rows without new columns, read all columns that they know, and write what their constraints allow.
A default of Django's alone is no default of the column, so an old process's INSERT fails on it.
"""

from django.db import migrations
from django.db.models import NOT_PROVIDED, ManyToManyField

HARMLESS = (
    migrations.AddIndex,
    migrations.AlterModelManagers,
    migrations.AlterModelOptions,
    migrations.CreateModel,
    migrations.RemoveConstraint,
    migrations.RemoveIndex,
    migrations.RenameIndex,
)
# What of a field the database does not know of.
WORDS = {"verbose_name", "help_text", "choices", "editable", "blank", "default", "related_name", "error_messages",
         "validators", "limit_choices_to", "on_delete", "auto_now", "auto_now_add"}  # fmt: skip


def reason_against(operation, field_before=None):
    """Return why the release before cannot run beside this operation, "" where it can.

    Args:
        operation: of a migration.
        field_before: what an AlterField changes.
    """
    if isinstance(operation, HARMLESS):
        return ""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return "; ".join(filter(None, map(reason_against, operation.database_operations)))
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if isinstance(field, ManyToManyField) or field.null or field.db_default is not NOT_PROVIDED:
            return ""
        return "a new column needs null=True or db_default: the release before inserts rows without it"
    if isinstance(operation, migrations.AlterField):
        return _reason_against_change(field_before, operation.field)
    if isinstance(operation, migrations.RunPython):
        return "" if operation.atomic is False else "a data migration needs atomic=False, and batches of its own"
    return f"{type(operation).__name__} changes what the release before reads or writes"


def _reason_against_change(before, after):
    changed = _kept(before).items() ^ _kept(after).items()
    names = {name for name, _value in changed}
    if type(before) is not type(after):
        return "the column's type changes"
    if "null" in names and not after.null:
        return "the release before may write NULL"
    if "max_length" in names and after.max_length < before.max_length:
        return "the release before may write longer texts"
    if unknown := names - {"null", "max_length", "db_default", "db_index"}:
        return f"{', '.join(sorted(unknown))} of the column changes"
    return "the default goes" if "db_default" in names and after.db_default is NOT_PROVIDED else ""


def _kept(field):
    _name, _path, _arguments, options = field.deconstruct()
    return {name: repr(value) for name, value in options.items() if name not in WORDS}

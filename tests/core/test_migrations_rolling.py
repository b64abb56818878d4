"""The release before runs on the tables of this one: new migrations only add, and change rows in batches."""

import json
from functools import partial

import pytest
from django.conf import settings
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from tests.support.rolling_migrations import reason_against

PREVIOUS = json.loads((settings.BASE_DIR / "deploy" / "previous-release.json").read_text())["migrations"]
# (migration, operation) that a person has looked at, with why the release before does not mind.
LOOKED_AT = {}


def new_migrations():
    """Yield the migrations of this release with the tables as they are before each."""
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    seen = {node for app, name in PREVIOUS.items() for node in loader.graph.forwards_plan((app, name))}
    for app in PREVIOUS:
        for node in loader.graph.forwards_plan(loader.graph.leaf_nodes(app)[0]):
            if node not in seen and node[0] in PREVIOUS:
                seen.add(node)
                yield loader.graph.nodes[node], loader.project_state(node, at_end=False)


def test_the_release_before_is_one_that_there_was():
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert set(PREVIOUS.items()) <= set(loader.disk_migrations)
    ours = {app for app, _name in loader.disk_migrations if (settings.BASE_DIR / app).is_dir()}
    assert set(PREVIOUS) == ours


@pytest.mark.django_db
def test_new_migrations_can_be_applied_while_the_release_before_runs():
    against = {}
    for migration, state in new_migrations():
        for operation in migration.operations:
            before = None
            if isinstance(operation, migrations.AlterField):
                before = state.models[migration.app_label, operation.model_name_lower].fields[operation.name]
            key = (f"{migration.app_label}.{migration.name}", operation.describe())
            if key not in LOOKED_AT and (reason := reason_against(operation, before)):
                against[key] = reason
            operation.state_forwards(migration.app_label, state)
    assert against == {}


ADD = partial(migrations.AddField, "product", "season")


@pytest.mark.parametrize(
    "operation",
    [
        ADD(models.CharField(max_length=10, default="")),
        ADD(models.BooleanField(default=False)),
        migrations.RemoveField("product", "name"),
        migrations.RenameField("product", "name", "title"),
        migrations.RenameModel("Product", "Garment"),
        migrations.DeleteModel("Product"),
        migrations.AddConstraint("product", models.UniqueConstraint(fields=["name"], name="product_name_once")),
        migrations.AlterUniqueTogether("product", {("name",)}),
        migrations.RunSQL("DELETE FROM catalog_product"),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("product", "name")]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_the_release_before_cannot_run_beside_is_refused(operation):
    assert reason_against(operation)


@pytest.mark.parametrize(
    "operation",
    [
        ADD(models.CharField(max_length=10, null=True)),
        ADD(models.BooleanField(default=False, db_default=False)),
        migrations.CreateModel("Season", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddIndex("product", models.Index(fields=["name"], name="product_by_name")),
        migrations.RunPython(migrations.RunPython.noop, atomic=False),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("product", "name")]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_it_does_not_notice_is_allowed(operation):
    assert not reason_against(operation)


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (models.CharField(max_length=10), models.CharField(max_length=20, verbose_name="season"), True),
        (models.CharField(max_length=20), models.CharField(max_length=10), False),
        (models.CharField(max_length=10), models.TextField(), False),
        (models.CharField(max_length=10), models.CharField(max_length=10, unique=True), False),
        (models.IntegerField(), models.IntegerField(null=True), True),
        (models.IntegerField(null=True), models.IntegerField(), False),
        (models.IntegerField(), models.IntegerField(db_default=0), True),
        (models.IntegerField(db_default=0), models.IntegerField(), False),
    ],
)
def test_a_column_may_only_grow(before, after, allowed):
    assert (not reason_against(migrations.AlterField("product", "season", after), before)) is allowed

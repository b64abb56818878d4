"""Which models serve: shipped ones by themselves, others by promotion; back again; and what that never changes."""

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import AuditEvent
from catalog import services as catalog
from catalog.models import AttributeValue, ProductAttribute
from catalog.selectors import Taxonomy
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.registry import class_mapping, model_sets, serving, weight_files
from core.errors import Conflict, Forbidden, Invalid
from tests.support.drawn_images import upload
from tests.support.factories import UserFactory
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.registered_versions import version

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped(monkeypatch):
    """The set of a weights folder that a worker has met."""
    serve(monkeypatch, StubEngine(garment("Jacket")))
    model_sets.register_shipped()
    return Deployment.objects.get().active


def _active():
    return {version.role: version.name for version in Deployment.objects.get().active.versions.all()}


def test_it_registers_shipped_weights_once_and_activates_newer_ones(shipped, monkeypatch):
    model_sets.register_shipped()
    assert (ModelVersion.objects.count(), ModelSet.objects.count()) == (4, 1)

    serve(monkeypatch, StubEngine(version="2"))
    model_sets.register_shipped()

    deployment = Deployment.objects.get()
    assert (deployment.active.name, deployment.version, deployment.chosen) == ("2", 2, False)
    assert shipped.versions.count() == 4


def test_it_leaves_a_set_active_that_somebody_chose(shipped, monkeypatch):
    model_sets.promote_set(actor=system(), model_set=shipped)

    serve(monkeypatch, StubEngine(version="2"))
    model_sets.register_shipped()

    assert Deployment.objects.get().active == shipped
    assert ModelSet.objects.filter(name="2").exists()


def test_it_keeps_serving_when_the_weights_folder_is_gone(shipped, settings, tmp_path, monkeypatch):
    monkeypatch.undo()
    settings.WEIGHTS_DIR = tmp_path
    model_sets.register_shipped()

    assert Deployment.objects.get().active == shipped


def test_it_stores_files_again_that_are_missing(shipped):
    entry = shipped.versions.first().serving["files"][0]
    default_storage.delete(entry["path"])

    model_sets.register_shipped()

    assert weight_files.stored(entry).read()
    assert ModelSet.objects.count() == 1


def test_it_says_where_each_version_stands(shipped):
    candidate = version("material", "material-new", classes=["denim"])
    assert {row.name: row.state for row in ModelVersion.objects.with_state()} == {
        "category-1": "active",
        "garment-1": "active",
        "material-1": "active",
        "material-new": "candidate",
        "sleeve_length-1": "active",
    }

    model_sets.promote(actor=system(), versions=[candidate])

    states = {row.name: row.state for row in ModelVersion.objects.with_state()}
    assert (states["material-new"], states["material-1"], states["garment-1"]) == ("active", "retired", "active")


def test_it_promotes_and_rolls_back_as_one_operation(shipped, admin):
    candidate = version("material", "material-new", classes=["denim"])
    actor = Actor(channel=Channel.ADMIN, user=admin)

    promoted = model_sets.promote(actor=actor, versions=[candidate])
    assert _active() == {
        "category": "category-1",
        "garment": "garment-1",
        "material": "material-new",
        "sleeve_length": "sleeve_length-1",
    }
    deployment = Deployment.objects.get()
    assert (deployment.version, deployment.changed_by, deployment.chosen) == (2, admin, True)

    model_sets.roll_back(actor=actor)
    assert Deployment.objects.get().active == shipped
    model_sets.roll_back(actor=actor)
    assert Deployment.objects.get().active == promoted
    assert shipped.versions.count() == 4
    events = AuditEvent.objects.order_by("id").values_list("action", "subject_id", "user")
    assert list(events) == [
        ("deployment.promote", str(promoted.pk), admin.pk),
        ("deployment.roll_back", str(shipped.pk), admin.pk),
        ("deployment.roll_back", str(promoted.pk), admin.pk),
    ]
    assert Deployment.objects.count() == 1


def test_the_database_itself_holds_one_deployment(shipped):
    other = ModelSet.objects.create(name="other", fingerprint="other")
    for key in (Deployment.SINGLETON, 2, 0):
        with pytest.raises(IntegrityError), transaction.atomic():
            Deployment(pk=key, active=other).save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.update(id=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelSet.objects.create(name="twin", fingerprint=shipped.fingerprint)
    deployment = Deployment.objects.get()
    assert (deployment.pk, deployment.active) == (Deployment.SINGLETON, shipped)


def test_it_has_nothing_to_go_back_to_at_first(shipped):
    with pytest.raises(Conflict, match="nothing to go back to"):
        model_sets.roll_back(actor=system())
    assert Deployment.objects.get().version == 1


def test_it_lets_nobody_else_promote(shipped, alice, actor_of):
    candidate = version("material", "material-new", classes=["denim"])
    clerk = Actor(channel=Channel.ADMIN, user=UserFactory(is_staff=True))
    for actor in (clerk, actor_of(alice)):
        for operation in (
            lambda actor=actor: model_sets.promote(actor=actor, versions=[candidate]),
            lambda actor=actor: model_sets.roll_back(actor=actor),
            lambda actor=actor: class_mapping.map_classes(actor=actor, version=candidate, mapping={}),
        ):
            with pytest.raises(Forbidden):
                operation()
    assert (Deployment.objects.get().version, ModelSet.objects.count(), AuditEvent.objects.count()) == (1, 1, 0)


def test_it_does_not_overwrite_a_promotion_at_the_same_moment(shipped, monkeypatch):
    candidate = version("material", "material-new", classes=["denim"])
    real = model_sets.set_of

    def meanwhile(*args, **options):
        Deployment.objects.update(version=7)
        return real(*args, **options)

    monkeypatch.setattr(model_sets, "set_of", meanwhile)
    with pytest.raises(Conflict, match="at the same moment"):
        model_sets.promote(actor=system(), versions=[candidate])

    assert Deployment.objects.get().active == shipped
    assert not AuditEvent.objects.exists()


def test_unknown_classes_block_until_they_are_mapped(shipped):
    candidate = version("material", "material-new", classes=["Denim", "Teflon"], mapping={"Denim": "denim"})
    assert candidate.unknown_classes == ["Teflon"]
    with pytest.raises(Conflict, match="Teflon"):
        model_sets.promote(actor=system(), versions=[candidate])
    for mapping, sentence in (({"Teflon": "plastic"}, "plastic"), ({"Wool": "wool"}, "no class")):
        with pytest.raises(Invalid, match=sentence):
            class_mapping.map_classes(actor=system(), version=candidate, mapping=mapping)
    candidate.refresh_from_db()
    assert candidate.mapping == {"Denim": "denim"}

    class_mapping.map_classes(actor=system(), version=candidate, mapping={"Teflon": "vinyl/PVC"})
    model_sets.promote(actor=system(), versions=[candidate])

    candidate.refresh_from_db()
    assert candidate.mapping == {"Denim": "denim", "Teflon": "vinyl"}
    with pytest.raises(Conflict, match="register its file again"):
        class_mapping.map_classes(actor=system(), version=candidate, mapping={"Teflon": "wool"})


def test_it_knows_values_that_came_after_the_model(shipped):
    candidate = version("material", "material-new", classes=["Denim", "Teflon"], mapping={"Denim": "denim"})
    material = AttributeValue.objects.filter(attribute__code="material").first().attribute
    AttributeValue.objects.create(attribute=material, code="teflon", name_ko="테플론", name_en="Teflon")

    model_sets.promote(actor=system(), versions=[candidate])

    candidate.refresh_from_db()
    assert candidate.mapping["Teflon"] == "teflon"


def test_a_category_detector_needs_no_garment_model_and_a_classifier_does(shipped):
    detector = version("category", "category_best", classes=["Jacket"])
    model_sets.promote(actor=system(), versions=[detector])
    assert set(_active()) == {"category", "material", "sleeve_length"}

    classifier = ModelVersion.objects.get(name="category-1")
    with pytest.raises(Conflict, match="finds garments"):
        model_sets.promote(actor=system(), versions=[classifier])
    model_sets.promote(actor=system(), versions=[classifier, ModelVersion.objects.get(name="garment-1")])
    assert Deployment.objects.get().active == shipped


def test_it_does_not_promote_files_that_are_not_the_registered_ones(shipped):
    candidate = version("material", "material-new", classes=["denim"])
    path = candidate.serving["files"][0]["path"]
    default_storage.delete(path)
    with pytest.raises(Conflict, match="missing"):
        model_sets.promote(actor=system(), versions=[candidate])
    with default_storage.open(path, "wb") as file:
        file.write(b"something else")
    with pytest.raises(Conflict, match="not the one"):
        model_sets.promote(actor=system(), versions=[candidate])
    assert Deployment.objects.get().active == shipped


def test_commands_promote_and_roll_back(shipped, capsys):
    version("material", "material-new", classes=["denim"])
    call_command("promote", "material-new")
    assert "material: material-new" in capsys.readouterr().out
    call_command("roll_back")
    assert "serves again" in capsys.readouterr().out
    assert Deployment.objects.get().active == shipped
    call_command("promote", f"set:{ModelSet.objects.first().pk}")
    assert _active()["material"] == "material-new"
    for name, sentence in (("nothing", "Nothing in the registry"), ("set:99999", "Nothing in the registry")):
        with pytest.raises(CommandError, match=sentence):
            call_command("promote", name)


def test_commands_take_a_name_for_no_other_one(shipped):
    version("material", "Café", classes=["denim"])
    with pytest.raises(CommandError, match="Nothing in the registry"):
        call_command("promote", "CAFE ")
    assert Deployment.objects.get().active == shipped

    version("material", "Cafe", classes=["denim"])
    call_command("promote", "Café")
    assert _active()["material"] == "Café"


def test_a_running_worker_follows_a_promotion_and_keeps_decisions(
    shipped, monkeypatch, alice, actor_of, product, django_capture_on_commit_callbacks
):
    candidate = version("category", "category-new", classes=["Jacket", "Jumper"], task="classify")
    found = {shipped.pk: garment("Jacket", material="denim"), None: garment("Jumper", material="knit")}

    def load_engine(model_set, *_args):
        return StubEngine(found.get(model_set.pk, found[None]))

    monkeypatch.setattr(serving, "load_engine", load_engine)
    monkeypatch.setattr(batches, "RENEW_SECONDS", -1.0)
    monkeypatch.setattr(batches, "LANES", 1)
    monkeypatch.setattr(batches, "BATCHES_ON_THE_WAY", 1)
    files = [upload(f"{color}.jpg", color=color) for color in ("red", "green")]
    add_images(actor=actor_of(alice), product=product, files=files)
    catalog.decide(actor=actor_of(alice), product=product, attribute="material", value="linen")
    settle = batches._Run.settle

    def settle_and_promote(run):
        ended = settle(run)
        model_sets.promote(actor=system(), versions=[candidate])
        return ended

    monkeypatch.setattr(batches._Run, "settle", settle_and_promote)
    monkeypatch.setattr(batches.settings, "OTJANG_CLASSIFY_BATCH", 1)
    assert batches.classify_waiting() == 2

    jobs = [image.classifications.get() for image in product.images.order_by("id")]
    assert [job.garments.get().predictions.get(attribute__code="category").value.code for job in jobs] == [
        "Jacket",
        "Jumper",
    ]
    assert [job.model_set == shipped for job in jobs] == [True, False]
    material = ProductAttribute.objects.get(product=product, attribute__code="material")
    assert (material.state, material.value.code) == ("decided", "linen")


def test_it_loads_the_networks_of_a_set_once(shipped, monkeypatch):
    monkeypatch.undo()
    loads = []
    monkeypatch.setattr(serving, "_networks", {})
    monkeypatch.setattr(serving, "load_networks", lambda specs, *_how: loads.append(set(specs)) or dict.fromkeys(specs))
    taxonomy = Taxonomy.load()

    first = serving.of_set(shipped, taxonomy)
    second = serving.of_set(shipped, taxonomy)

    assert loads == [{"garment", "category", "material", "sleeve_length"}]
    assert first.engine.networks == second.engine.networks
    assert first.engine.manifest.models["category"].threshold == 0.25
    assert first.versions == {version.role: version.pk for version in shipped.versions.all()}

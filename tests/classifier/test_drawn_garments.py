"""What people draw stands for what models found: at once, in every later run, in the proposal and in a shadow run."""

import threading

import pytest
from django.db import connection

from accounts.actors import system
from accounts.models import AuditEvent
from catalog import services as catalog
from catalog.selectors import Taxonomy, product_for_page
from catalog.services.uploads import add_images
from classifier import garments
from classifier.jobs import batches, queue, requests, results, sweep
from classifier.jobs.tasks import classify_waiting
from classifier.models import Classification, Deployment, Garment, ModelSet, Prediction
from classifier.proposals.covered import Judged, covered
from classifier.registry import serving, shadow
from core.errors import Conflict, Forbidden, Gone, Invalid
from tests.support.drawn_images import upload
from tests.support.exported_datasets import JACKET, JEANS
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.registered_versions import version

pytestmark = pytest.mark.django_db

BOX = (0.1, 0.2, 0.5, 0.6)


@pytest.fixture
def actor(alice, actor_of):
    return actor_of(alice)


@pytest.fixture
def image(classified, merchant):
    """A photo in which the models found a jacket; whatever people draw they take for jeans."""
    return classified(merchant).images.get()


@pytest.fixture
def bare(classified, merchant):
    """A photo in which the models found nothing."""
    return classified(merchant, garments=()).images.get()


def _levels(image):
    image.product.refresh_from_db()
    return [candidate.top_category for candidate in image.product.proposal.candidates]


def _shown(image):
    return [
        (row.by_person, row.state, [said.value for said in row.values][:1]) for row in garments.shown_garments(image)
    ]


def test_it_is_described_without_looking_for_garments_again(actor, image, monkeypatch):
    engine = serve(monkeypatch, StubEngine(JACKET))
    found = image.current_classification_id

    drawn = garments.draw(actor=actor, image=image, box=BOX)
    waiting = _shown(image)
    image.product.refresh_from_db()
    assert image.product.status == "classifying"
    batches.classify_waiting()

    assert (True, "waiting", []) in waiting
    assert [known.only for known in engine.given[0]] == [True]
    drawn.refresh_from_db()
    assert (drawn.source, drawn.described_by_id) == ("human", Deployment.objects.get().active_id)
    assert {(said.attribute.code, said.value.code) for said in drawn.predictions.all()} >= {("category", "Jeans")}
    image.refresh_from_db()
    assert image.current_classification_id == found  # what was found before still counts
    assert sorted(_levels(image)) == ["Bottom", "Outer"]
    assert image.product.status == "to_review"
    assert AuditEvent.objects.get(action="garment.draw").details["garment"] == drawn.pk


def test_it_makes_a_candidate_where_nothing_was_found(actor, bare):
    assert _levels(bare) == []
    version_before = bare.product.version

    drawn = garments.draw(actor=actor, image=bare, box=BOX)
    batches.classify_waiting()

    assert _levels(bare) == ["Bottom"]
    candidate = bare.product.proposal.candidates[0]
    assert (candidate.garments, candidate.attributes["category"].value) == ((drawn.pk,), "Jeans")
    assert bare.product.version == version_before + 1


def test_a_person_may_say_what_it_is(actor, bare):
    garments.draw(actor=actor, image=bare, box=BOX, top_category="Onepiece")
    assert _levels(bare) == ["Onepiece"]  # before any model looked

    batches.classify_waiting()

    assert _levels(bare) == ["Onepiece"]  # although the models say jeans
    assert "category" not in bare.product.proposal.candidates[0].attributes


def test_it_stands_for_what_it_replaces_in_every_later_run(actor, image, see):
    (found,) = image.garments.all()
    see(JACKET)
    moved = garments.change(actor=actor, image=image, garment=found.pk, box=BOX)
    batches.classify_waiting()
    assert _shown(image) == [(True, "done", ["Jeans"])]

    for _again in range(2):
        requests.classify_again(actor=actor, product=image.product)
        batches.classify_waiting()
        assert _shown(image) == [(True, "done", ["Jeans"])]
        assert _levels(image) == ["Bottom"]

    assert Garment.objects.filter(image=image, source="model").count() == 3  # nothing of the past was deleted
    moved.refresh_from_db()
    assert (moved.x1, moved.y2, moved.replaces_id) == (0.1, 0.6, found.pk)


def test_what_a_person_removed_stays_removed(actor, image, see):
    see(JACKET, JEANS)
    (found,) = image.garments.all()
    garments.remove(actor=actor, image=image, garment=found.pk)
    assert _levels(image) == []

    requests.classify_again(actor=actor, product=image.product)
    batches.classify_waiting()

    assert _shown(image) == [(False, "done", ["Jeans"])]
    assert _levels(image) == ["Bottom"]


def test_a_new_set_describes_it_again_and_going_back_restores_what_was_said(actor, bare, monkeypatch):
    drawn = garments.draw(actor=actor, image=bare, box=BOX)
    batches.classify_waiting()
    first = Deployment.objects.get().active
    said = {"value": "Jacket"}
    monkeypatch.setattr(
        serving, "load_engine", lambda *_args: StubEngine(drawn=garment(said["value"], material="knit"))
    )
    category = version("category", "category-new", task="classify", classes=["Jacket"])
    newer = ModelSet.objects.create(name="newer", fingerprint="newer")
    newer.versions.set([*first.versions.exclude(role="category"), category])

    def reclassify(chosen):
        Deployment.objects.update(active=chosen)
        requests.classify_again(actor=actor, product=bare.product)
        batches.classify_waiting()

    reclassify(newer)
    assert _shown(bare) == [(True, "done", ["Jacket"])]
    assert _levels(bare) == ["Outer"]
    said["value"] = "Jeans"
    reclassify(first)

    assert _shown(bare) == [(True, "done", ["Jeans"])]
    assert _levels(bare) == ["Bottom"]
    categories = Prediction.objects.filter(garment=drawn, attribute__code="category")
    assert [prediction.value.code for prediction in categories.order_by("pk")] == ["Jeans", "Jacket"]  # appended


def test_a_shadow_run_describes_it_and_changes_nothing(actor, bare, monkeypatch):
    drawn = garments.draw(actor=actor, image=bare, box=BOX)
    batches.classify_waiting()
    active = Deployment.objects.get().active

    def load_engine(model_set, *_args):
        return StubEngine(drawn=garment("Jeans" if model_set == active else "Jacket", material="denim"))

    monkeypatch.setattr(serving, "load_engine", load_engine)
    candidate = version("category", "category-new", task="classify", classes=["Jacket", "Jeans"])
    operation = shadow.start(actor=system(), versions=[candidate])
    for _round in range(3):
        classify_waiting.func()

    figures = operation.shadow_report.figures
    assert figures["changed"] == 1
    assert {"attribute": "category", "from": "Jeans", "to": "Jacket", "products": 1} in figures["moves"]
    assert _shown(bare) == [(True, "done", ["Jeans"])]
    assert _levels(bare) == ["Bottom"]
    drawn.refresh_from_db()
    assert drawn.described_by == active


def test_each_step_can_be_taken_back(actor, image):
    (found,) = image.garments.all()
    moved = garments.change(actor=actor, image=image, garment=found.pk, box=BOX)
    batches.classify_waiting()
    mark = garments.remove(actor=actor, image=image, garment=moved.pk)
    assert _shown(image) == []

    assert garments.take_back(actor=actor, image=image, garment=mark.pk) == moved
    assert _shown(image) == [(True, "done", ["Jeans"])]
    assert garments.take_back(actor=actor, image=image, garment=moved.pk) == found
    assert _shown(image) == [(False, "done", ["Jacket"])]
    assert _levels(image) == ["Outer"]
    drawn = garments.draw(actor=actor, image=image, box=BOX)
    assert garments.take_back(actor=actor, image=image, garment=drawn.pk) is None
    assert _shown(image) == [(False, "done", ["Jacket"])]


def test_who_comes_too_late_is_told(actor, image, bob, actor_of):
    (found,) = image.garments.all()
    moved = garments.change(actor=actor, image=image, garment=found.pk, box=BOX)
    removed = garments.remove(actor=actor, image=image, garment=moved.pk)
    late = actor_of(bob)
    before = list(Garment.objects.order_by("pk").values())

    for stale in (found, moved):
        with pytest.raises(Conflict, match="Somebody changed this box"):
            garments.change(actor=late, image=image, garment=stale.pk, box=(0, 0, 1, 1))
        with pytest.raises(Conflict, match="Somebody changed this box"):
            garments.remove(actor=late, image=image, garment=stale.pk)
    with pytest.raises(Conflict):
        garments.take_back(actor=late, image=image, garment=moved.pk)
    with pytest.raises(Conflict):
        garments.remove(actor=late, image=image, garment=removed.pk)
    with pytest.raises(Gone):
        garments.remove(actor=late, image=image, garment=found.pk + 1000)
    assert list(Garment.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "box", [(0.5, 0.5, 0.5, 0.9), (0.9, 0.1, 0.2, 0.5), (float("nan"), 0, 1, 1), (1.2, 0.1, 1.5, 0.9), (0, 0, 1)]
)
def test_a_box_has_an_area_in_the_photo(actor, bare, box):
    with pytest.raises(Invalid) as refused:
        garments.draw(actor=actor, image=bare, box=box)
    assert refused.value.code == "bad_box"
    assert not Garment.objects.exists()
    assert not Classification.objects.filter(state="queued").exists()


def test_only_who_may_edit_draws(bare, dana, charlie, actor_of):
    for outsider in (dana, charlie):
        with pytest.raises(Forbidden):
            garments.draw(actor=actor_of(outsider), image=bare, box=BOX)
    assert not Garment.objects.exists()


def test_nothing_is_drawn_in_what_is_put_away(actor, bare, monkeypatch):
    catalog.archive(actor=actor, product=bare.product)
    with pytest.raises(Conflict) as refused:
        garments.draw(actor=actor, image=bare, box=BOX)
    assert refused.value.code == "archived"
    catalog.restore(actor=actor, product=bare.product)
    catalog.archive_image(actor=actor, image=bare)
    with pytest.raises(Gone):
        garments.draw(actor=actor, image=bare, box=BOX)
    monkeypatch.setattr(garments, "MOST_DRAWN", 0)
    other = ProductFactory(merchant=bare.product.merchant)
    (received,) = add_images(actor=actor, product=other, files=[upload("other.jpg", color="green")])
    with pytest.raises(Conflict) as refused:
        garments.draw(actor=actor, image=received.image, box=BOX)
    assert refused.value.code == "too_many_boxes"


def test_a_box_drawn_while_a_worker_looks_is_described_as_well(actor, bare, monkeypatch):
    engine = StubEngine()
    serve(monkeypatch, engine)
    first = garments.draw(actor=actor, image=bare, box=BOX)
    batch = queue.claim(8)

    second = garments.draw(actor=actor, image=bare, box=(0.5, 0.5, 0.9, 0.9))
    active = serving.active(Taxonomy.load())
    images = engine.classify_batch([b""])
    late = results.store(batch, {batch.jobs[0].pk: images[0]}, serving=active, taxonomy=Taxonomy.load(), timings={})

    assert late == 0  # its lease is gone
    batches.classify_waiting()
    assert [len(known.boxes) for known in engine.given[-1]] == [2]
    assert set(Garment.objects.exclude(described_by=None)) == {first, second}


def test_a_failure_is_said_and_can_be_tried_again(actor, bare, monkeypatch):
    broken = StubEngine(answer=lambda _data: 1 / 0)
    serve(monkeypatch, broken)
    garments.draw(actor=actor, image=bare, box=BOX)
    for _attempt in range(5):
        batches.classify_waiting()
    (shown,) = garments.shown_garments(bare)
    assert (shown.state, "given up" in shown.problem) == ("failed", True)

    serve(monkeypatch, StubEngine())
    garments.describe_again(actor=actor, image=bare)
    batches.classify_waiting()

    assert _shown(bare) == [(True, "done", ["Jeans"])]


def test_a_photo_that_nobody_looked_at_gets_the_whole_look(actor, product, see):
    see(JACKET)
    (received,) = add_images(actor=actor, product=product, files=[upload("front.jpg")])
    garments.draw(actor=actor, image=received.image, box=BOX)
    assert Classification.objects.filter(state="queued").count() == 1

    batches.classify_waiting()

    assert sorted(_levels(received.image)) == ["Bottom", "Outer"]


def test_what_a_person_judged_is_not_pruned(actor, image, settings, see):
    (found,) = image.garments.all()
    see(JACKET)
    garments.change(actor=actor, image=image, garment=found.pk, box=BOX)
    requests.classify_again(actor=actor, product=image.product)
    batches.classify_waiting()
    settings.OTJANG_PREDICTION_RETENTION_DAYS = -1

    sweep.prune_superseded()

    assert Garment.objects.filter(pk=found.pk).exists()
    assert _shown(image) == [(True, "done", ["Jeans"])]


def test_reading_them_takes_the_same_queries_however_many(actor, image, django_assert_num_queries):
    for number in range(3):
        garments.draw(actor=actor, image=image, box=(0.1 * number, 0.1, 0.1 * number + 0.2, 0.5))
    batches.classify_waiting()

    with django_assert_num_queries(3):  # the last job, the garments, what is said of them
        garments.shown_garments(image)
    with django_assert_num_queries(6):  # product, values, photos, garments, what is said, decisions
        (page_image,) = product_for_page(actor, image.product.public_id).current_images
    assert len(page_image.shown_garments) == 4


@pytest.mark.django_db(transaction=True)
def test_two_people_who_change_the_same_box_leave_one_of_them(actor, image, bob, actor_of):
    (found,) = image.garments.all()
    people = [actor, actor_of(bob)]
    ends = []
    begin = threading.Barrier(len(people), timeout=30)

    def move(person, number):
        try:
            begin.wait()
            garments.change(actor=person, image=image, garment=found.pk, box=(0.1 * number, 0.1, 0.9, 0.9))
            ends.append("moved")
        except Conflict as refused:
            ends.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=(person, number)) for number, person in enumerate(people, start=1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(ends) == ["moved", "stale"]
    assert Garment.objects.drawn().count() == 1


def test_it_covers_the_same_place_and_kind_only():
    jacket = Judged(1, (0.1, 0.1, 0.9, 0.9), "Outer", counts=True)
    shirt = Judged(2, (0.1, 0.1, 0.85, 0.9), "Top", counts=True)
    unnamed = Judged(3, (0.1, 0.1, 0.9, 0.85), None, counts=True)
    far = Judged(4, (0.6, 0.6, 0.9, 0.9), "Outer", counts=True)
    earlier = Judged(5, (0.1, 0.15, 0.9, 0.9), "Outer", counts=False)
    removed = Judged(6, earlier.box, None, counts=True, by_person=True, absent=True, replaces=5)
    drawn = Judged(7, shirt.box, "Top", counts=True, by_person=True)
    taken_back = Judged(8, far.box, "Outer", counts=False, by_person=True)

    assert covered([jacket, shirt, unnamed, far, earlier, removed]) == {1: 6, 3: 6}
    assert covered([jacket, shirt, far, drawn, taken_back]) == {2: 7}
    moved_twice = [
        Judged(9, jacket.box, None, counts=False, by_person=True, replaces=1),
        Judged(10, (0.0, 0.0, 0.1, 0.1), None, counts=True, by_person=True, replaces=9),
    ]
    assert covered([jacket, shirt, *moved_twice]) == {1: 10}

"""The worker's way of an image: from the queue to garments, predictions and a proposal."""

from functools import partial

import pytest
from django.core.files.storage import default_storage
from django.utils import translation

from catalog import services as catalog
from catalog.models import Product
from catalog.proposal import Proposal
from catalog.selectors import Taxonomy
from catalog.services.uploads import add_images
from classifier import proposals
from classifier.jobs import batches, queue, requests, results
from classifier.models import Classification, Deployment, Garment, Prediction
from classifier.registry.serving import active
from tests.support import fake_engines as engines
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment
from tests.support.seen_products import current_values
from vision.engine import DecodeError, WeightsMismatch, WeightsMissing

pytestmark = pytest.mark.django_db


@pytest.fixture
def serve(monkeypatch):
    """Let the worker use an engine, or meet an error instead of one."""
    return partial(engines.serve, monkeypatch)


@pytest.fixture
def add(alice, actor_of):
    """Upload images of these colours to a product, as Alice."""

    def upload_all(product, *colors):
        files = [upload(f"{color}.jpg", color=color) for color in colors]
        return [received.image for received in add_images(actor=actor_of(alice), product=product, files=files)]

    return upload_all


def _agreement(product):
    """How many of how many images show each candidate."""
    return [(found.top_category, found.images, found.total) for found in product.proposal.candidates]


def test_it_turns_images_into_a_proposal(serve, add, product):
    serve(StubEngine(garment({"Jacket": 0.8, "Jumper": 0.15}, material="denim", sleeve_length="long")))
    images = add(product, "red", "green")

    assert batches.classify_waiting() == 2

    job = images[0].classifications.get()
    assert (job.state, job.open_key, job.error_code) == ("done", None, "")
    assert job.applied_at is not None
    assert job.model_set == Deployment.objects.get().active
    assert job.timings == {"decode": 1.0, "detect": 2.0, "classify": 3.0}
    assert job.garments_found == 1
    found = job.garments.get()
    assert (found.x1, found.y1, found.x2, found.y2, found.confidence) == (0.2, 0.1, 0.8, 0.9, 0.9)
    category = found.predictions.get(attribute__code="category")
    assert (category.value.code, category.confidence, category.calibrated) == ("Jacket", 0.8, True)
    assert category.alternatives == [{"value": "Jumper", "confidence": 0.15}]
    assert (category.model_version.role, category.model_version.name) == ("category", "category-1")
    images[0].refresh_from_db()
    assert images[0].current_classification == job
    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW
    assert (product.top_category.code, product.top_category_source) == ("Outer", "auto")
    assert _agreement(product) == [("Outer", 2, 2)]
    assert current_values(product) == {
        "category": ("proposed", "Jacket"),
        "material": ("proposed", "denim"),
        "sleeve_length": ("proposed", "long"),
    }


def test_it_reads_the_display_copy(serve, add, product):
    engine = serve(StubEngine())
    (image,) = add(product, "red")

    batches.classify_waiting()

    assert engine.batches == [[image.display.read()]]


def test_it_takes_no_garment_for_a_result(serve, add, product):
    serve(StubEngine())
    (image,) = add(product, "red")

    assert batches.classify_waiting() == 1

    assert image.classifications.get().state == "done"
    product.refresh_from_db()
    assert (product.status, product.proposal, product.top_category) == (Product.Status.TO_REVIEW, Proposal(), None)


def test_it_works_in_batches_until_nothing_waits(serve, add, merchant, settings):
    settings.OTJANG_CLASSIFY_BATCH = 2
    engine = serve(StubEngine(garment()))
    product = ProductFactory(merchant=merchant)
    add(product, "red", "green", "blue", "black", "white")

    assert batches.classify_waiting() == 5

    assert sum(len(batch) for batch in engine.batches) == 5
    assert max(len(batch) for batch in engine.batches) <= 2
    assert batches.classify_waiting() == 0


def test_it_needs_no_more_queries_for_more_images(
    serve, add, merchant, django_assert_max_num_queries, settings, monkeypatch
):
    settings.OTJANG_CLASSIFY_BATCH = 50
    monkeypatch.setattr(batches, "LANES", 1)
    serve(StubEngine(garment(material="denim", sleeve_length="long"), garment("Jeans", material="denim")))
    add(ProductFactory(merchant=merchant), "red")
    batches.classify_waiting()  # registers the models

    counts = []
    for colors in (["red"], ["red", "green", "blue", "black", "white", "gold", "pink", "navy"]):
        add(ProductFactory(merchant=merchant), *colors)
        with django_assert_max_num_queries(60) as queries:
            batches.classify_waiting()
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_it_does_a_job_once_when_it_is_run_twice(serve, add, product):
    engine = serve(StubEngine(garment()))
    add(product, "red")

    assert batches.classify_waiting() == 1
    assert batches.classify_waiting() == 0
    results.apply(product.pk, Taxonomy.load())

    assert Garment.objects.count() == 1
    assert len(engine.batches) == 1


def test_it_drops_results_whose_lease_has_ended(serve, add, product):
    engine = serve(StubEngine(garment()))
    add(product, "red", "green")
    batch = queue.claim(8)
    serving = active(Taxonomy.load())
    images = engine.classify_batch([b"", b""])
    found = dict(zip([job.pk for job in batch.jobs], images, strict=True))
    Classification.objects.filter(pk=batch.jobs[0].pk).update(state="queued", lease_token="")

    ended = results.store(batch, found, serving=serving, taxonomy=Taxonomy.load(), timings={})

    assert ended == 1
    assert [found.classification_id for found in Garment.objects.all()] == [batch.jobs[1].pk]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WeightsMissing("There is no manifest.json."), "model_not_available"),
        (WeightsMismatch("category.bin is not the one."), "model_refused"),
    ],
)
def test_it_keeps_images_until_the_model_is_there(serve, add, product, error, code):
    serve(error)
    (image,) = add(product, "red")

    assert batches.classify_waiting() == 0

    job = image.classifications.get()
    assert (job.state, job.error_code, job.error_message, job.attempts) == ("queued", code, str(error), 0)
    with translation.override("en"):
        assert "Model not available" in job.get_error_code_display()
    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING

    serve(StubEngine(garment()))
    assert batches.classify_waiting() == 1
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error_message) == ("done", "", "")


def test_it_fails_what_cannot_be_read_and_keeps_the_rest(serve, add, product):
    def answer(data):
        return DecodeError("damaged", "Cut off.") if data == broken else (garment(),)

    serve(StubEngine(answer=answer))
    missing, unreadable, _good = add(product, "red", "green", "blue")
    broken = unreadable.display.read()
    default_storage.delete(missing.display.name)

    assert batches.classify_waiting() == 3

    outcomes = [(job.state, job.error_code, job.open_key) for job in Classification.objects.order_by("id")]
    assert outcomes == [("failed", "file_missing", None), ("failed", "unreadable", None), ("done", "", None)]
    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW
    assert _agreement(product) == [("Outer", 1, 3)]
    assert missing.classifications.get().applied_at is not None


def test_it_gives_up_on_an_image_that_breaks_the_engine_but_not_on_its_neighbours(serve, add, product, settings):
    settings.OTJANG_MAX_ATTEMPTS = 2

    def answer(data):
        if data == poison:
            raise RuntimeError("out of memory")
        return (garment(),)

    serve(StubEngine(answer=answer))
    bad, good = add(product, "red", "green")
    poison = bad.display.read()

    assert batches.classify_waiting() == 2 - 1

    assert good.classifications.get().state == "done"
    job = bad.classifications.get()
    assert (job.state, job.error_code) == ("failed", "gave_up")
    assert "out of memory" in job.error_message


def test_a_product_that_fails_does_not_break_off_other_batches(serve, add, merchant, settings, monkeypatch):
    settings.OTJANG_CLASSIFY_BATCH = 1
    serve(StubEngine(garment("Jacket")))
    products = ProductFactory.create_batch(2, merchant=merchant)
    for product in products:
        add(product, "red")
    refresh = proposals.propose

    def broken(product, taxonomy):
        if product == products[0]:
            raise KeyError("category")
        refresh(product, taxonomy)

    monkeypatch.setattr(proposals, "propose", broken)

    assert batches.classify_waiting() == 2

    assert {job.state for job in Classification.objects.all()} == {"done"}
    assert Classification.objects.get(applied_at=None).image.product == products[0]


def test_it_stops_claiming_when_it_drains(serve, add, product, monkeypatch):
    serve(StubEngine(garment()))
    add(product, "red")
    monkeypatch.setattr(batches.draining, "is_set", lambda: True)

    assert batches.classify_waiting() == 0
    assert Classification.objects.get().state == "queued"


def test_it_shows_progress_while_images_wait(serve, add, product):
    serve(StubEngine(garment()))
    add(product, "red", "green")
    held_back = Classification.objects.order_by("id").last()
    Classification.objects.filter(pk=held_back.pk).update(state="running", lease_token="elsewhere")

    batches.classify_waiting()

    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING
    assert product.proposal.candidates[0].total == 2


def test_it_adds_a_second_run_without_rewriting_the_first(serve, add, alice, actor_of, product):
    serve(StubEngine(garment("Jacket")))
    (image,) = add(product, "red")
    batches.classify_waiting()
    serve(StubEngine(garment("Jumper", version="2"), version="2"))

    requests.classify_again(actor=actor_of(alice), product=product)
    batches.classify_waiting()

    assert Prediction.objects.filter(attribute__code="category").count() == 2
    image.refresh_from_db()
    assert image.current_classification == image.classifications.first()
    assert current_values(product)["category"] == ("proposed", "Jumper")
    assert Deployment.objects.get().active.name == "2"


def test_it_does_not_let_an_older_run_replace_a_newer_one(serve, add, alice, actor_of, product):
    serve(StubEngine(garment()))
    (image,) = add(product, "red")
    batches.classify_waiting()
    requests.classify_again(actor=actor_of(alice), product=product)
    batches.classify_waiting()
    newer, older = image.classifications.all()
    Classification.objects.filter(pk=older.pk).update(applied_at=None)

    results.apply(product.pk, Taxonomy.load())

    image.refresh_from_db()
    assert image.current_classification == newer


def test_it_leaves_decisions_and_published_products_alone(serve, add, alice, actor_of, product):
    serve(StubEngine(garment("Jacket", material="denim")))
    add(product, "red")
    batches.classify_waiting()
    catalog.decide(actor=actor_of(alice), product=product, attribute="category", value="Coat")
    serve(StubEngine(garment("Tshirt", material="knit")))
    add(product, "green")
    batches.classify_waiting()
    assert current_values(product)["category"] == ("decided", "Coat")

    catalog.publish(actor=actor_of(alice), product=product)
    before = current_values(product)
    requests.classify_again(actor=actor_of(alice), product=product)
    batches.classify_waiting()

    product.refresh_from_db()
    assert product.status == Product.Status.PUBLISHED
    assert current_values(product) == before


def test_it_proposes_again_when_an_image_is_removed(serve, add, alice, actor_of, product):
    def answer(_data):
        return (garment("Jacket"),) if len(engine.batches) == 1 else (garment("Tshirt"),)

    engine = serve(StubEngine(answer=answer))
    (first,) = add(product, "red")
    batches.classify_waiting()
    add(product, "green")
    batches.classify_waiting()
    product.refresh_from_db()
    assert {found.top_category for found in product.proposal.candidates} == {"Outer", "Top"}

    catalog.archive_image(actor=actor_of(alice), image=first)

    product.refresh_from_db()
    assert _agreement(product) == [("Top", 1, 1)]
    assert product.top_category.code == "Top"

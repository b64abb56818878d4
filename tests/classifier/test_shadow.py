"""A candidate is tried on stored images: nobody sees it, and a report says what would change."""

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import Operation
from catalog import services as catalog
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute, ProductImage
from classifier.admin.advice import of_report
from classifier.jobs import batches, lanes
from classifier.jobs.tasks import classify_waiting
from classifier.models import Classification, Deployment, ModelSet, ShadowReport
from classifier.registry import serving, shadow
from core.errors import Conflict, Forbidden, Invalid
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.registered_versions import version

pytestmark = pytest.mark.django_db


@pytest.fixture
def tried(merchant, monkeypatch, alice, actor_of):
    """Two products that were classified, one decided; and a candidate that sees knit where denim was seen."""
    monkeypatch.setattr(lanes, "_read_one", lambda _job: b"")
    serve(monkeypatch, StubEngine(garment("Jacket", material="denim", sleeve_length="long")))
    first, second = ProductFactory.create_batch(2, merchant=merchant)
    for product in (first, first, second):
        ProductImageFactory(product=product)
    batches.classify_waiting()
    for attribute, value in (("material", "knit"), ("category", "Jacket")):
        catalog.decide(actor=actor_of(alice), product=first, attribute=attribute, value=value)
    candidate = version("material", "material-new", task="classify", classes=["denim", "knit"])
    active = Deployment.objects.get().active

    def load_engine(model_set, *_args):
        material = "denim" if model_set == active else "knit"
        return StubEngine(garment("Jacket", material=material, sleeve_length="long"))

    monkeypatch.setattr(serving, "load_engine", load_engine)
    return first, second, candidate


def _everything_that_people_see():
    return [
        list(model.objects.order_by("pk").values()) for model in (Product, ProductAttribute, ProductImage, Deployment)
    ]


def _work():
    for _round in range(3):
        classify_waiting.func()
    return Operation.objects.get()


def test_it_reports_what_would_change_and_touches_nothing(tried, django_assert_max_num_queries):
    first, second, candidate = tried
    before = _everything_that_people_see()

    shadow.start(actor=system(), versions=[candidate])
    operation = _work()

    assert (operation.state, operation.done, operation.total) == ("done", 3, 3)
    assert _everything_that_people_see() == before
    jobs = Classification.objects.filter(operation=operation)
    assert {(job.purpose, job.model_set.name, job.applied_at) for job in jobs} == {("shadow", "material-new", None)}
    report = ShadowReport.objects.get()
    assert report.candidate.name == "material-new"
    figures = report.figures
    assert (figures["images"], figures["products"], figures["changed"]) == (3, 2, 2)
    assert figures["attributes"]["material"] == {"changed": 2, "decided": 1, "now": 0, "then": 1}
    assert figures["attributes"]["category"] == {"changed": 0, "decided": 1, "now": 1, "then": 1}
    assert figures["moves"] == [{"attribute": "material", "from": "denim", "to": "knit", "products": 2}]
    assert {(entry["product"], entry["decided"]) for entry in report.changes} == {(first.pk, "knit"), (second.pk, None)}


def test_the_admin_shows_the_report_with_images(tried, client_of, admin, django_assert_max_num_queries):
    first, second, candidate = tried
    client = client_of(admin)
    client.post(
        reverse("admin:classifier_modelversion_try_out", args=[candidate.pk]),
        {"_form_submitted": "on", "sample": "100"},
    )
    _work()
    report = ShadowReport.objects.get()
    with django_assert_max_num_queries(20):
        page = client.get(reverse("admin:classifier_shadowreport_change", args=[report.pk])).text
    for text in ("Denim", "Knit", "1 (100%)", "0 (0%)", "2 (100%)", str(first), str(second)):
        assert text in page
    assert page.count("/thumbnail/file") == 2
    with django_assert_max_num_queries(12):
        assert "material-new" in client.get(reverse("admin:classifier_shadowreport_changelist")).text


def test_it_shows_examples_of_each_move_not_only_of_the_first_products(merchant, monkeypatch):
    """Ten products of which the last one alone would change otherwise than the rest."""
    monkeypatch.setattr(lanes, "_read_one", lambda job: str(job.image.product_id).encode())
    products = ProductFactory.create_batch(10, merchant=merchant)
    serve(monkeypatch, StubEngine(garment("Jacket", material="denim")))
    for product in products:
        ProductImageFactory(product=product)
    batches.classify_waiting()
    candidate = version("material", "material-new", task="classify", classes=["denim", "knit", "wool"])
    rare = str(products[-1].pk).encode()
    engine = StubEngine(answer=lambda data: (garment("Jacket", material="wool" if data == rare else "knit"),))
    monkeypatch.setattr(serving, "load_engine", lambda *_given: engine)
    monkeypatch.setattr(shadow, "MOST_SHOWN", 4)

    shadow.start(actor=system(), versions=[candidate])
    _work()

    report = ShadowReport.objects.get()
    assert [(move["to"], move["products"]) for move in report.figures["moves"]] == [("knit", 9), ("wool", 1)]
    shown = [(entry["product"], entry["to"]) for entry in report.changes]
    assert shown == [(product.pk, "knit") for product in products[:3]] + [(products[-1].pk, "wool")]


def test_it_counts_no_image_that_could_not_be_looked_at(tried, monkeypatch):
    _first, second, candidate = tried
    lost = ProductImage.objects.get(product=second).pk
    missing = lanes.Failure("file_missing", "It is gone.")
    monkeypatch.setattr(lanes, "_read_one", lambda job: missing if job.image_id == lost else b"")
    shadow.start(actor=system(), versions=[candidate])

    operation = _work()

    figures = ShadowReport.objects.get().figures
    assert (operation.done, operation.failed) == (2, 1)
    assert (figures["images"], figures["products"]) == (2, 1)
    assert figures["attributes"]["category"]["changed"] == 0


def test_it_asks_people_only(tried, merchant, alice, actor_of, api_key):
    """Agreement with what a key, a command or an import said, or was published unseen, says nothing."""
    first, second, candidate = tried
    key = Actor(channel=Channel.API, api_key=api_key[0], merchant=merchant)
    catalog.decide(actor=key, product=first, attribute="material", value="denim")
    catalog.decide(
        actor=actor_of(alice), product=first, attribute="category", value="Coat", source=Decision.Source.IMPORT
    )
    catalog.decide(actor=system(), product=first, attribute="sleeve_length", value="short")
    catalog.publish(actor=actor_of(alice), product=second)
    shadow.start(actor=system(), versions=[candidate])

    _work()

    figures = ShadowReport.objects.get().figures["attributes"]
    assert {code: found["decided"] for code, found in figures.items()} == dict.fromkeys(figures, 0)


def test_it_takes_merged_values_for_one(tried):
    _first, _second, candidate = tried
    values = AttributeValue.objects.filter(attribute__code="material")
    values.filter(code="knit").update(merged_into=values.get(code="jersey"))
    shadow.start(actor=system(), versions=[candidate])

    _work()

    assert ShadowReport.objects.get().figures["attributes"]["material"]["then"] == 1


def test_it_says_nothing_of_an_attribute_that_was_switched_off(tried):
    Attribute.objects.filter(code="material").update(active=False)
    candidate = version("sleeve_length", "sleeve-new", task="classify", classes=["long", "short"])
    shadow.start(actor=system(), versions=[candidate])

    operation = _work()

    assert operation.state == "done"
    assert "material" not in ShadowReport.objects.get().figures["attributes"]


@pytest.mark.parametrize("sample", [0, shadow.MOST_SAMPLED + 1])
def test_it_refuses_a_sample_that_is_none_or_too_large(tried, sample):
    with pytest.raises(Invalid):
        shadow.start(actor=system(), versions=[tried[2]], sample=sample)


def test_it_draws_whole_products(tried):
    _first, _second, candidate = tried
    operation = shadow.start(actor=system(), versions=[candidate], sample=1, seed=1)
    products = ProductImage.objects.filter(pk__in=operation.parameters["images"]).values_list("product", flat=True)
    assert len(set(products)) == 1
    assert ProductImage.objects.filter(product=products[0]).count() == operation.total


def test_it_refuses_what_could_not_serve_and_who_may_not_ask(tried, alice, actor_of):
    _first, _second, candidate = tried
    unknown = version("material", "strange", task="classify", classes=["Teflon"], mapping={})
    with pytest.raises(Conflict, match="Teflon"):
        shadow.start(actor=system(), versions=[unknown])
    with pytest.raises(Forbidden):
        shadow.start(actor=actor_of(alice), versions=[candidate])
    assert not Operation.objects.exists()
    assert not ModelSet.objects.filter(name__in=("strange", "material-new")).exists()


def test_a_candidate_that_cannot_be_loaded_fails_alone(tried, monkeypatch, settings):
    settings.OTJANG_MAX_ATTEMPTS = 1
    _first, _second, candidate = tried
    shadow.start(actor=system(), versions=[candidate])

    def of_set(_model_set, _taxonomy, real=serving.of_set):
        if _model_set.name == "material-new":
            raise serving.WeightsMissing("It is gone.")
        return real(_model_set, _taxonomy)

    monkeypatch.setattr(serving, "of_set", of_set)
    operation = _work()

    assert (operation.state, operation.done, operation.failed) == ("done", 0, 3)
    assert Classification.objects.filter(operation=operation, error_message="It is gone.").count() == 3
    assert not Product.objects.filter(status=Product.Status.CLASSIFYING).exists()


def test_the_command_tries_and_reports(tried, capsys):
    call_command("shadow", "material-new", sample=100, seed=3)
    public_id = capsys.readouterr().out.strip()
    _work()
    call_command("operations", public_id)
    shown = capsys.readouterr().out
    assert f"{public_id}  shadow  done  3 of 3, 0 failed" in shown
    assert '"to": "knit"' in shown


def test_promoting_afterwards_serves_the_tried_set(tried, capsys):
    _first, _second, candidate = tried
    shadow.start(actor=system(), versions=[candidate])
    tried_set = ModelSet.objects.get(name="material-new")
    call_command("promote", f"version:{candidate.pk}")
    assert Deployment.objects.get().active == tried_set


def test_of_very_many_products_some_are_drawn(tried, monkeypatch):
    first, second, candidate = tried
    monkeypatch.setattr(shadow, "_MOST_DRAWN", 1)
    monkeypatch.setattr(shadow, "_DRAWN_AT_ONCE", 50)
    operation = shadow.start(actor=system(), versions=[candidate], seed=1)
    images = set(operation.parameters["images"])
    assert images == set(first.images.values_list("pk", flat=True)) | set(second.images.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("decided", "now", "then", "level"),
    [(40, 20, 39, "look"), (400, 200, 390, "good"), (400, 390, 200, "act"), (400, 300, 305, "look")],
)
def test_a_report_says_what_changes_how_sure_and_what_to_do(tried, decided, now, then, level):
    report = ShadowReport(
        candidate_id=7,
        figures={
            "images": 300,
            "products": 100,
            "changed": 10,
            "attributes": {"material": {"changed": 10, "decided": decided, "now": now, "then": then}},
            "moves": [],
        },
    )
    with override("en"):
        verdict = of_report(report)
    assert verdict.changes.startswith("Of 100 products that were looked at, 10 would get another proposal: between 6%")
    assert str(decided) in verdict.sure
    assert (verdict.next.level, bool(verdict.next.link)) == (level, True)


def test_columns_of_a_report_say_whose_proposal_it_is(tried, client_of, admin):
    _first, _second, candidate = tried
    shadow.start(actor=system(), versions=[candidate])
    _work()
    page = (
        client_of(admin, "en")
        .get(reverse("admin:classifier_shadowreport_change", args=[ShadowReport.objects.get().pk]))
        .text
    )
    assert "Proposed today" in page
    assert ">From<" not in page

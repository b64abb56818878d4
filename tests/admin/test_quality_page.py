"""The page of quality tells true figures, within few queries, to those who may see all merchants."""

import importlib
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Membership, Operation
from accounts.services import operations
from catalog import services
from catalog.models import AttributeValue, Decision, ProductImage
from classifier.jobs import sweep
from classifier.models import Classification
from classifier.quality.metrics import Period
from tests.support.factories import MembershipFactory, ProductFactory, UserFactory
from tests.support.seen_products import look, seen_product
from tests.support.written_thresholds import allow

pytestmark = pytest.mark.django_db

PAGE = "/admin/classifier/acceptancethreshold/quality/"
SURE = {"category": ("Jacket", 0.97), "material": ("denim", 0.96), "sleeve_length": ("long", 0.95)}


@pytest.fixture
def page(client_of, admin):
    client = client_of(admin)
    return lambda **query: client.get(PAGE, query)


def figures(response):
    return [(share, of) for _what, share, of in response.context["figures"]]


def rates(lines):
    return {line.label: (line.rate.kept, line.rate.changed) for line in lines}


def test_it_counts_what_people_kept_and_changed(merchant, alice, page, review):
    review(alice, seen_product(merchant, **SURE))
    review(alice, seen_product(merchant, **SURE), material="woven")
    review(alice, seen_product(merchant, **SURE), material="woven", sleeve_length="-")
    review(alice, seen_product(merchant, model="2", **SURE), material="knit", category="Coat")
    response = page()
    assert figures(response)[:2] == [("58.3%", "7 / 12"), ("41.7%", "5 / 12")]
    assert rates(response.context["by_attribute"]) == {
        "Category": (3, 1),
        "Material": (1, 3),
        "Sleeve length": (3, 1),
    }
    by_class = {attribute: rates(lines) for attribute, lines in response.context["by_class"]}
    assert by_class["Material"] == {"Denim": (1, 3)}
    by_model = {label.split(" ")[0]: rate for label, rate in rates(response.context["by_model"]).items()}
    assert by_model == {
        "category-1": (3, 0),
        "category-2": (0, 1),
        "material-1": (1, 2),
        "material-2": (0, 1),
        "sleeve_length-1": (2, 1),
        "sleeve_length-2": (1, 0),
    }


def test_it_shows_the_corrections_as_a_matrix(merchant, alice, page, review):
    for wanted in ("woven", "woven", "knit", "denim"):
        review(alice, seen_product(merchant, **SURE), material=wanted, sleeve_length="-")
    review(alice, seen_product(merchant, **{**SURE, "material": ("knit", 0.6)}), material="woven")
    matrices = {matrix.attribute: matrix for matrix in page().context["matrices"]}
    material = matrices["Material"]
    assert material.columns == ["Woven", "Knit"]
    assert [(label, [cell.count for cell in cells]) for label, cells in material.lines] == [
        ("Denim", [2, 1]),
        ("Knit", [1, 0]),
    ]
    assert (material.total, material.others) == (4, 0)
    sleeve = matrices["Sleeve length"]
    assert sleeve.columns == ["not applicable"]
    assert matrices["Category"].total == 0


def test_it_says_how_many_corrections_the_matrix_has_no_place_for(merchant, alice, page, review):
    leaves = AttributeValue.objects.filter(attribute__code="category", parent__code="Outer").exclude(code="Jacket")
    wanted = [*leaves.values_list("code", flat=True), "Shirt", "Tshirt", "Blouse", "Hoodie", "Dress"][:10]
    assert len(wanted) == 10
    for code in wanted:
        review(alice, seen_product(merchant, **SURE), category=code)
    matrix = page().context["matrices"][0]
    assert (len(matrix.columns), matrix.total, matrix.others) == (8, 10, 2)
    assert "2 of 10 corrections are of other values." in page().content.decode()


def test_it_counts_the_last_word_only(merchant, alice, actor_of, page, review):
    product = review(alice, seen_product(merchant, **SURE), material="woven")
    services.decide(actor=actor_of(alice), product=product, attribute="material", value="denim")
    services.withdraw(actor=actor_of(alice), product=product, attribute="sleeve_length")
    services.publish(actor=actor_of(alice), product=product)  # decides the sleeve again, but is no answer
    assert rates(page().context["by_attribute"]) == {"Category": (1, 0), "Material": (1, 0)}


def test_a_key_s_later_word_hides_no_person_s(merchant, alice, api_key, page, review):
    product = review(alice, seen_product(merchant, **SURE), material="woven")
    key = Actor(channel=Channel.API, api_key=api_key[0], merchant=merchant)
    services.decide(actor=key, product=product, attribute="material", value="denim")
    services.decide(actor=key, product=seen_product(merchant, **SURE), attribute="material", value="denim")
    assert rates(page().context["by_attribute"])["Material"] == (0, 1)


def test_what_publishing_added_is_no_opinion(merchant, alice, actor_of, page, review, settings):
    allow("material", 0.9)
    settings.OTJANG_SAMPLE_SHARE = 1.0
    review(alice, seen_product(merchant, **SURE), material="woven")
    for _ in range(2):
        services.publish(actor=actor_of(alice), product=seen_product(merchant, **SURE))
    response = page()
    assert rates(response.context["by_attribute"]) == {"Category": (1, 0), "Material": (0, 1), "Sleeve length": (1, 0)}
    sample = {label: one.sample for label, one, *_figures in response.context["automatic"]}["Material"]
    assert (sample.kept, sample.changed) == (0, 1)


def test_what_was_opened_is_no_verdict(merchant, alice, page, review):
    review(alice, seen_product(merchant, **SURE), material="")
    assert rates(page().context["by_attribute"]) == {"Category": (1, 0), "Sleeve length": (1, 0)}


def test_it_counts_an_import_and_a_decision_without_proposal_as_no_verdict(merchant, alice, actor_of, page, product):
    services.decide(actor=actor_of(alice), product=product, attribute="material", value="denim")
    services.decide(
        actor=actor_of(alice),
        product=seen_product(merchant, **SURE),
        attribute="material",
        value="woven",
        source=Decision.Source.IMPORT,
    )
    response = page()
    assert figures(response)[0] == ("–", "0 / 0")
    assert "Nobody has decided on a proposal in this period." in response.content.decode()


def test_it_measures_what_was_accepted_by_the_sample(merchant, alice, actor_of, page, review, settings):
    allow("material", 0.9)
    settings.OTJANG_SAMPLE_SHARE = 1.0
    review(alice, seen_product(merchant, **SURE))
    review(alice, seen_product(merchant, **SURE))
    review(alice, seen_product(merchant, **SURE), material="woven")
    settings.OTJANG_SAMPLE_SHARE = 0.0
    products = [seen_product(merchant, **SURE) for _ in range(5)]
    services.decide(actor=actor_of(alice), product=products[0], attribute="material", value="knit")
    services.publish(actor=actor_of(alice), product=products[1])
    review(alice, seen_product(merchant, **{**SURE, "material": ("denim", 0.5)}))
    lines = {label: (one, coverage, proof) for label, one, coverage, _share, proof in page().context["automatic"]}
    material, coverage, proof = lines["Material"]
    assert (material.accepted, material.reviewed, material.overridden) == (5, 4, 1)
    assert coverage == "55.6%"
    assert (material.sample.kept, material.sample.changed) == (2, 1)
    assert proof == "2 / 3 (20.8% – 93.9%)"
    assert lines["Category"][0].accepted == 0


def test_it_shows_the_drift_of_the_input_by_week(merchant, page):
    now = timezone.now()
    product = ProductFactory(merchant=merchant)
    look(product, {"category": ("Jacket", 0.59), "material": ("denim", 0.6)}, at=now)
    look(product, at=now)
    look(product, {"category": ("Jacket", 0.2)}, at=now - timedelta(weeks=1))
    look(product, {"category": ("Jacket", 0.2)}, at=now - timedelta(weeks=30))
    look(product, {"category": ("Jacket", 0.2)}, at=now)  # looked at again: no new input
    again = Operation.objects.create(kind="reclassify")
    Classification.objects.filter(pk=Classification.objects.latest("pk").pk).update(operation=again)
    response = page(weeks=4)
    assert figures(response)[4:] == [("66.7%", "2 / 3"), ("33.3%", "1 / 3")]
    chart = response.context["drift_chart"]
    assert "50.0% / 2" in chart  # this week: one of two predictions, one of two images
    assert "100.0% / 1" in chart  # the week before
    assert "0.0% / 1" in chart


def test_pruned_garments_do_not_look_like_drift(merchant, page, settings):
    old = timezone.now() - timedelta(weeks=2)
    settings.OTJANG_PREDICTION_RETENTION_DAYS = 7
    product = ProductFactory(merchant=merchant)
    look(product, {"category": ("Jacket", 0.9)}, at=old)
    look(product, at=old)
    Classification.objects.update(applied_at=old)
    ProductImage.objects.update(current_classification=None)  # looked at again since
    before = figures(page(weeks=4))[5]
    assert sweep.prune_superseded() == 1

    assert figures(page(weeks=4))[5] == before == ("50.0%", "1 / 2")


def test_older_jobs_are_counted_once_and_what_may_have_been_pruned_is_unknown(merchant, settings):
    settings.OTJANG_PREDICTION_RETENTION_DAYS = 7
    product = ProductFactory(merchant=merchant)
    old = timezone.now() - timedelta(weeks=2)
    jacket = {"category": ("Jacket", 0.9)}
    for garments, at in (([jacket, jacket], old), ([], timezone.now()), ([], old), ([], old)):
        look(product, *garments, at=at)
    superseded = Classification.objects.latest("pk")
    ProductImage.objects.filter(current_classification=superseded).update(current_classification=None)
    Classification.objects.update(garments_found=None)

    importlib.import_module("classifier.migrations.0005_garments_found").count_garments(apps, None)

    assert list(Classification.objects.order_by("pk").values_list("garments_found", flat=True)) == [2, 0, 0, None]


def test_its_weeks_begin_on_monday_in_local_time(settings, merchant, alice, page, review):
    start = Period.last(4).starts[-1]
    assert (timezone.localtime(start).weekday(), timezone.localtime(start).time()) == (0, datetime.min.time())
    review(alice, seen_product(merchant, **SURE))
    before = Decision.objects.filter(attribute__code="material")
    before.update(created_at=start - timedelta(seconds=1))
    chart = page(weeks=4).context["weekly_chart"]
    week_before = timezone.localtime(start - timedelta(weeks=1))
    assert f"Material, {week_before:%m-%d}: 100.0% / 1" in chart
    assert f"Category, {timezone.localtime(start):%m-%d}: 100.0% / 1" in chart
    before.update(created_at=start - timedelta(weeks=3, seconds=1))
    assert "Material" not in rates(page(weeks=4).context["by_attribute"])
    assert rates(page(weeks=12).context["by_attribute"])["Material"] == (1, 0)


def test_it_filters_by_merchant(merchant, other_merchant, alice, charlie, page, review):
    review(alice, seen_product(merchant, **SURE))
    review(charlie, seen_product(other_merchant, **SURE), material="woven")
    assert rates(page(merchant=merchant.pk).context["by_attribute"])["Material"] == (1, 0)
    assert rates(page(merchant=other_merchant.pk).context["by_attribute"])["Material"] == (0, 1)
    assert rates(page().context["by_attribute"])["Material"] == (1, 1)


@pytest.mark.parametrize("query", [{"merchant": "x", "weeks": "-3"}, {"weeks": "100000"}, {"merchant": "999999"}])
def test_it_takes_nonsense_for_the_default(page, query):
    response = page(**query)
    assert response.status_code == 200
    assert figures(response)[0] == ("–", "0 / 0")


def test_it_shows_true_figures_of_500_decisions_within_15_queries(
    merchant, alice, client_of, clerk, review, django_assert_max_num_queries
):
    MembershipFactory(user=UserFactory(), merchant=merchant, role=Membership.Role.EDITOR)
    for number in range(168):
        review(
            alice,
            seen_product(merchant, **SURE),
            category="Coat" if number % 21 == 0 else "Jacket",
            material="woven" if number % 8 == 0 else "denim",
            sleeve_length="-" if number % 42 == 0 else "long",
        )
    assert Decision.objects.filter(source="human").count() == 504
    client = client_of(clerk)  # not a superuser, whose permissions cost no query
    with django_assert_max_num_queries(15):
        response = client.get(PAGE)
    assert rates(response.context["by_attribute"]) == {
        "Category": (160, 8),
        "Material": (147, 21),
        "Sleeve length": (164, 4),
    }
    assert figures(response)[:2] == [("93.5%", "471 / 504"), ("6.5%", "33 / 504")]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_needs_no_network_and_no_script(admin, client_of, merchant, alice, review, language):
    review(alice, seen_product(merchant, **SURE), material="woven")
    response = client_of(admin, language).get(PAGE)
    page = response.content.decode()
    assert response.status_code == 200
    assert f'lang="{language}"' in page
    charts = page[page.index('class="share-chart"') : page.rindex("</figure>")]
    assert charts.count("<polyline") + charts.count("<circle") > 0
    for forbidden in ("<script", "style=", "http:", "https:", "onload"):
        assert forbidden not in charts


def test_it_is_denied_to_staff_who_may_not_see_all_merchants(client_of):
    for permissions in (["view_acceptancethreshold"], ["view_all_merchants"]):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        assert client_of(user).get(PAGE).status_code == 403


# -- Thresholds --------------------------------------------------------------------------------------------------------


def test_accepted_values_are_marked_in_portal_admin_and_api(admin, alice, client_of, merchant, settings):
    settings.OTJANG_SAMPLE_SHARE = 0.0
    allow("material", 0.9)
    product = seen_product(merchant, **SURE)
    portal = client_of(alice)
    assert "auto-accepted" in portal.get(f"/products/{product.public_id}").content.decode()
    assert "auto-accepted" in portal.get("/products/").content.decode()
    value = portal.get(f"/api/v1/products/{product.public_id}").json()["attributes"]["material"]
    assert (value["state"], value["source"], value["confidence"]) == ("auto", "auto", 0.96)
    page = client_of(admin).get(reverse("admin:catalog_product_change", args=[product.pk])).content.decode()
    assert "auto-accepted: Denim 96%" in page


def test_many_decisions_are_counted_by_a_worker_and_kept(merchant, alice, page, review, monkeypatch, client_of, admin):
    monkeypatch.setattr("classifier.quality.counting.COUNTED_AT_ONCE", 2)
    review(alice, seen_product(merchant, **SURE))
    review(alice, seen_product(merchant, **SURE), material="woven")
    assert "figures" not in page().context
    assert "a worker has to count them" in page().text
    client = client_of(admin)
    assert client.post(f"{PAGE}?weeks=12").status_code == 302
    assert "They are being counted now" in page(weeks=12).text
    assert "under way already" in client.post(f"{PAGE}?weeks=12", follow=True).text
    operations.continue_long()

    with CaptureQueriesContext(connection) as queries:
        kept = page(weeks=12)
    assert figures(kept)[:2] == [("83.3%", "5 / 6"), ("16.7%", "1 / 6")]
    assert rates(kept.context["by_attribute"])["Material"] == (1, 1)
    assert "Counted on" in kept.text
    assert not any("proposed_value_id" in query["sql"] for query in queries)  # no decision is read again
    assert "figures" not in page(weeks=4).context

    monkeypatch.setattr("classifier.quality.counting.COUNTED_AT_ONCE", 1000)
    live = page(weeks=12)
    for name in ("figures", "by_attribute", "automatic", "matrices"):
        assert live.context[name] == kept.context[name]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_says_what_the_figures_ask_for(merchant, alice, review, client_of, admin, monkeypatch, language):
    monkeypatch.setattr("classifier.admin.advice.ENOUGH", 3)
    monkeypatch.setattr("classifier.admin.advice._OFTEN", 3)
    for _number in range(4):
        review(alice, seen_product(merchant, **SURE), material="woven")
    said = client_of(admin, language).get(PAGE).context["advice"]
    assert [one.level for one in said] == ["act", "look", "look", "look"]
    assert all(one.link for one in said)
    if language == "en":
        assert said[0].text.startswith("Material: people kept 0 of 4 proposals, so between 0% and")
        assert any("of 4 times “Denim” was proposed, people said “Woven” 4 times" in one.text for one in said)

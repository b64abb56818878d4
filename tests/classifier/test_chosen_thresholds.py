"""What an owner chooses of an attribute goes before the calibrated thresholds, for the model it was chosen on."""

import pytest

from accounts.models import AuditEvent
from catalog import services
from classifier.models import Deployment, MerchantThreshold, ModelSet
from tests.support.seen_products import current_values, seen_product, version
from tests.support.written_thresholds import allow

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_sample")]


@pytest.fixture(autouse=True)
def _active(db):
    """The models that see the products are the active ones."""
    models = ModelSet.objects.create(name="1", fingerprint="1")
    models.versions.set([version("category"), version("material")])
    Deployment.objects.create(active=models)


def _seen(merchant, confidence):
    return seen_product(merchant, category=("Jacket", 0.97), material=("denim", confidence))


def _state(product):
    return current_values(product)["material"][0]


@pytest.fixture
def decided(merchant, actor):
    """People of the shop decided on three proposals of a material: two right, the least sure one wrong."""
    for confidence, value in ((0.9, "denim"), (0.8, "denim"), (0.7, "woven")):
        product = _seen(merchant, confidence)
        services.decide(actor=actor, product=product, attribute="material", value=value)


def _choose(client, merchant, mode, percent="", code="material"):
    path = f"/merchants/{merchant.public_id}/thresholds/{code}"
    return client.post(path, {"mode": mode, "percent": percent}, follow=True)


def test_nothing_is_accepted_of_what_an_owner_looks_at(client_of, alice, merchant, other_merchant):
    allow("material", 0.9)
    assert _state(_seen(merchant, 0.95)) == "auto"

    assert "Saved." in _choose(client_of(alice), merchant, "off").text

    assert _state(_seen(merchant, 0.95)) == "proposed"
    assert _state(_seen(other_merchant, 0.95)) == "auto"
    _choose(client_of(alice), merchant, "shared")
    assert _state(_seen(merchant, 0.95)) == "auto"
    assert [event.details["mode"] for event in AuditEvent.objects.filter(action="acceptancethreshold.choose")] == [
        "shared",
        "off",
    ]


def test_a_confidence_of_one_s_own_is_chosen_by_the_curve(client_of, alice, merchant, decided):
    client = client_of(alice)
    page = client.get("/settings/thresholds/").text
    assert "precision and coverage by threshold" in page
    assert 'name="percent"' in page

    answer = _choose(client, merchant, "own", "80.0")

    assert "At your confidence 2 of 2 decided proposals were right." in answer.text
    assert _state(_seen(merchant, 0.8)) == "auto"
    assert _state(_seen(merchant, 0.79)) == "proposed"


def test_it_counts_no_more_once_another_model_serves(client_of, alice, merchant, decided):
    _choose(client_of(alice), merchant, "own", "80")
    row = MerchantThreshold.objects.get()
    other = type(row.model_version).objects.exclude(pk=row.model_version_id).first()
    MerchantThreshold.objects.update(model_version=other)

    assert _state(_seen(merchant, 0.9)) == "proposed"
    assert "chosen on an earlier model" in client_of(alice).get("/settings/thresholds/").text


@pytest.mark.parametrize(
    ("mode", "percent", "sentence"),
    [
        ("own", "49", "Choose from 50 % to 100 %."),
        ("own", "nonsense", "Choose from 50 % to 100 %."),
        ("own", "nan", "Choose from 50 % to 100 %."),
        ("king", "", "There is no such choice."),
    ],
)
def test_it_says_what_is_wrong(client_of, alice, merchant, decided, mode, percent, sentence):
    assert sentence in _choose(client_of(alice), merchant, mode, percent).text
    assert not MerchantThreshold.objects.exists()


def test_there_is_no_confidence_to_choose_without_decisions(client_of, alice, merchant):
    page = client_of(alice).get("/settings/thresholds/").text
    assert "so there is no curve" in page
    assert 'name="percent"' not in page
    assert "Nobody has decided" in _choose(client_of(alice), merchant, "own", "80").text


def test_it_is_for_owners(client_of, bob, charlie, merchant):
    assert client_of(bob).get("/settings/thresholds/").status_code == 403
    assert _choose(client_of(bob), merchant, "off").status_code == 403
    assert _choose(client_of(charlie), merchant, "off").status_code == 404

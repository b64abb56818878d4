"""A few of each kind of bad image in an import: the good ones are stored, each other one gets a sentence."""

import pytest

from catalog.models import Product, ProductImage
from tests.support.bad_images import TAKEN, thinned
from tests.support.import_files import imported, lines, zip_file

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning"),
]


def test_each_is_stored_or_refused_with_a_sentence(alice, actor_of):
    sent = {f"P{number}.jpg": bad for number, bad in enumerate(thinned())}
    found = imported(actor_of(alice), photos_zip=zip_file({name: bad.make() for name, bad in sent.items()}))
    assert found.refusal is None or found.refusal == {}
    of = {line.sku: line for line in lines(found)}
    assert set(of) == {name.removesuffix(".jpg") for name in sent}
    for name, bad in sent.items():
        line = of[name.removesuffix(".jpg")]
        stored = ProductImage.objects.filter(product__sku=line.sku).exists()
        assert stored != bool(line.problems), (bad.name, line.problems)
        if bad.expected:
            assert stored == (bad.expected == TAKEN), (bad.name, line.problems)
    assert Product.objects.count() >= ProductImage.objects.count() > 12

"""Mappings to marketplaces' taxonomies: what they make of values, and their versions."""

import pytest

from accounts.models import AuditEvent
from catalog.mapping import Mapper
from catalog.models import AttributeValue, TaxonomyMapping
from catalog.selectors import Taxonomy
from catalog.services import mappings
from core.errors import Forbidden, Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shipped():
    mappings.load_shipped()


def value(attribute, code):
    return AttributeValue.objects.get(attribute__code=attribute, code=code)


def target(code, *pairs):
    mapping = TaxonomyMapping.objects.newest().get(code=code)
    found = Mapper(mapping, Taxonomy.load()).target(
        {one.attribute_id: one.pk for one in (value(*pair.split(":")) for pair in pairs)}
    )
    return found.code if found is not None else None


def test_the_shipped_ones_say_what_values_and_pairs_are_elsewhere():
    assert target("google_apparel", "category:JumpSuit") == "5250"
    assert target("naver_women", "category:Jacket") == "50021360"
    assert target("naver_women", "category:Jacket", "material:leather", "sleeve_length:long") == "50021320"
    assert target("naver_women", "category:Jacket", "material:denim") == "50021360"
    assert target("naver_women", "category:Zipup") is None
    assert target("google_apparel", "material:denim") is None


def test_every_category_has_a_google_one_and_two_have_no_naver_one():
    taxonomy = Taxonomy.load()
    left = {
        mapping.code: [one.code for one in Mapper(mapping, taxonomy).without_target(taxonomy.leaves("category"))]
        for mapping in TaxonomyMapping.objects.offered()
    }
    assert left == {"google_apparel": [], "naver_women": ["Bratop", "Zipup"]}


def test_loading_again_changes_nothing(admin, actor_of):
    mapping = TaxonomyMapping.objects.get(code="google_apparel")
    mappings.offer(actor=system_of(admin), mapping=mapping, offered=False)
    assert mappings.load_shipped() == 0
    assert not TaxonomyMapping.objects.offered().filter(code="google_apparel").exists()


def system_of(user):
    from accounts.actors import Actor
    from accounts.channels import Channel

    return Actor(channel=Channel.ADMIN, user=user)


def save(actor, entries, code="mine", name="Mine"):
    attribute = Taxonomy.load().attributes["category"]
    return mappings.save_version(actor=actor, code=code, name=name, attribute=attribute, entries=entries)


def test_a_change_is_the_next_version_and_the_one_before_stays(admin):
    actor = system_of(admin)
    first = save(actor, [mappings.Entry(value("category", "Coat"), None, "C1", "Coats")])
    second = save(actor, [mappings.Entry(value("category", "Coat"), None, "C2", "Coats")])
    same = save(actor, [mappings.Entry(value("category", "Coat"), None, "C2", "Coats")])

    assert (first.version, second.version, same.pk) == (1, 2, second.pk)
    assert [entry.code for entry in mappings.entries_of(first)] == ["C1"]
    assert AuditEvent.objects.filter(action="mapping.save", details__mapping="mine").count() == 2


def test_a_top_category_stands_for_its_values_and_a_merged_value_for_what_it_became(admin):
    pairs = {("category", "Outer"): "O", ("category", "Coat"): "C"}
    save(system_of(admin), [mappings.Entry(value(*pair), None, code, "") for pair, code in pairs.items()])
    assert (target("mine", "category:Coat"), target("mine", "category:Vest")) == ("C", "O")

    AttributeValue.objects.filter(code="Coat").update(merged_into=value("category", "Dress"))
    assert (target("mine", "category:Coat"), target("mine", "category:Dress")) == ("C", "C")


def test_only_keepers_of_the_taxonomy_store_versions(bob, actor_of):
    with pytest.raises(Forbidden):
        save(actor_of(bob), [])


def test_a_file_says_the_same_when_it_comes_back():
    taxonomy = Taxonomy.load()
    mapping = TaxonomyMapping.objects.get(code="naver_women")
    text = mappings.write_csv(mapping)
    read = mappings.read_csv(text.encode("utf-8-sig"), mapping.attribute, taxonomy)
    assert read == mappings.entries_of(mapping)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheet_may_write_values_by_their_names(encoding, delimiter):
    taxonomy = Taxonomy.load()
    text = "Value,With,Code,Name\n코트,,C,외투\nJacket,material:가죽,J,\n".replace(",", delimiter)
    read = mappings.read_csv(text.encode(encoding), taxonomy.attributes["category"], taxonomy)
    assert [(one.value.code, one.other and one.other.code, one.code, one.name) for one in read] == [
        ("Coat", None, "C", "외투"),
        ("Jacket", "leather", "J", ""),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must name the columns"),
        ("code,name\n1,2\n", "must name the columns"),
        ("value,code\nSofa,1\n", "Line 2: Sofa is not a value"),
        ("value,code\nCoat,\n", "Line 2: Their code is missing"),
        ("value,code\n,1\n", "Line 2: Our value is missing"),
        ("value,with,code\nCoat,leather,1\n", "as in material:leather"),
        ("value,with,code\nCoat,category:Coat,1\n", "as in material:leather"),
        ("value,code\n" + "Coat,1\n" * 5001, "larger than a mapping"),
        ("value,code\n" + '"' + "x" * 200_000, "not a CSV file"),
        ("value,code\n" + "x" * 1_000_001, "larger than a mapping"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_a_sentence(text, said):
    taxonomy = Taxonomy.load()
    with pytest.raises(Invalid, match=said):
        mappings.read_csv(text.encode(), taxonomy.attributes["category"], taxonomy)


def test_a_value_mapped_twice_is_refused(admin):
    with pytest.raises(Invalid, match="mapped twice"):
        save(system_of(admin), [mappings.Entry(value("category", "Coat"), None, code, "") for code in "AB"])

"""What services do with the client, from the first image to a published product."""

import asyncio

import pytest

import otjang
from tests.support.asynchronously import run


def test_from_images_to_a_published_product(client, images):
    created = client.create_product("Denim jacket", sku="AJ-1043", images=images)
    assert [upload.image.name for upload in created.uploads] == ["front.jpg", "back.jpg"]
    product = client.wait(created.id)
    assert product.top_category == "Outer"
    assert (product.attributes["category"].value, product.attributes["category"].state) == ("Jacket", "proposed")
    assert {image.state for image in product.images} == {"done"}
    decided = client.decide(product.id, "material", "knit")
    assert (decided.value, decided.state, decided.source, decided.decided_by) == ("knit", "decided", "api_key", "till")
    assert client.decide_not_applicable(product.id, "sleeve_length").state == "not_applicable"
    assert client.take_back(product.id, "sleeve_length").state in {"unset", "proposed"}
    published = client.publish(product.id)
    assert published.status == "published"
    assert {value.state for value in published.attributes.values()} <= {"decided", "unset", "not_applicable"}


def test_a_file_that_is_no_image_is_told_by_its_code(client, images):
    created = client.create_product(images=[images[0], ("notes.jpg", b"milk, bread")])
    assert [(upload.name, upload.code) for upload in created.uploads] == [
        ("front.jpg", None),
        ("notes.jpg", "not_an_image"),
    ]
    with pytest.raises(otjang.BadRequest) as refused:
        client.upload(created.id, ("notes.jpg", b"milk, bread"))
    assert refused.value.code == "not_an_image"


def test_an_image_is_archived(client, images):
    created = client.create_product(images=images)
    client.wait(created.id)
    image = created.uploads[0].image
    client.archive_image(created.id, image.id)
    assert [left.name for left in client.product(created.id).images] == ["back.jpg"]


def test_refusals_are_exceptions_with_the_code_and_the_fields(client):
    client.create_product("first", sku="A-1")
    with pytest.raises(otjang.Conflict) as refused:
        client.create_product("second", sku="a-1")
    error = refused.value
    assert (error.status, error.code, error.errors[0].pointer) == (409, "sku_taken", "/sku")
    assert error.request_id
    with pytest.raises(otjang.NotFound):
        client.product("00000000000000000000")


def test_a_wrong_key_is_told(site_url):
    with otjang.Client(site_url, "otj_wrong") as client, pytest.raises(otjang.NotAuthenticated) as refused:
        next(client.products())
    assert refused.value.code == "invalid_api_key"


def test_lists_are_read_page_by_page(client):
    names = [client.create_product(f"product {number}").name for number in range(5)]
    assert [product.name for product in client.products(page_size=2)] == names[::-1]
    assert list(client.products(status="published")) == []


def test_all_of_it_without_waiting(site_url, api_key, images):
    async def work():
        async with otjang.AsyncClient(site_url, api_key[1]) as client:
            made = await asyncio.gather(
                *(client.create_product(f"product {number}", images=images) for number in range(3))
            )
            waited = await asyncio.gather(*(client.wait(product.id) for product in made))
            decided = await client.decide(waited[0].id, "material", "knit")
            listed = [product.name async for product in client.products(page_size=2)]
            return waited, decided, listed

    waited, decided, listed = run(work())
    assert {product.attributes["category"].value for product in waited} == {"Jacket"}
    assert decided.value == "knit"
    assert sorted(listed) == ["product 0", "product 1", "product 2"]

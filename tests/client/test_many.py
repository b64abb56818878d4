"""Many products at once, and images that are not stored."""

import pytest

import otjang
from tests.support.asynchronously import run


def test_many_products_by_their_skus(client):
    lines = client.bulk(
        [{"sku": "A-1", "name": "Coat"}, {"sku": "A-2", "attributes": {"material": "stone"}}, {"sku": "A-3"}]
    )
    assert [(line.sku, line.outcome) for line in lines] == [("A-1", "created"), ("A-2", "refused"), ("A-3", "created")]
    assert lines[1].errors[0].code == "unknown_value"
    assert {product.sku for product in client.export()} == {"A-1", "A-3"}


def test_all_or_none_of_them(client):
    with pytest.raises(otjang.BadRequest) as refused:
        client.bulk([{"sku": "A-1"}, {"sku": "A-2", "attributes": {"material": "stone"}}], atomic=True)
    assert (refused.value.code, refused.value.errors[0].pointer) == ("bulk_refused", "/products/1/attributes/material")
    assert list(client.products()) == []


def test_images_are_classified_without_being_stored(client, images):
    found = client.classify(*images, ("notes.txt", b"milk, bread"), wait=5)
    assert [one.file for one in found] == ["front.jpg", "back.jpg", "notes.txt"]
    assert found[0].garments[0]["category"]["value"] == "Jacket"
    assert found[2].error["code"] == "not_an_image"
    assert list(client.products()) == []


def test_it_asks_again_where_the_site_does_not_wait(site_url, api_key, images):
    async def work():
        async with otjang.AsyncClient(site_url, api_key[1]) as client:
            found = await client.classify(*images, wait=0)
            lines = await client.bulk([{"sku": "A-1"}])
            exported = [product.sku async for product in client.export()]
            return found, lines, exported

    found, lines, exported = run(work())
    assert [one.garments[0]["category"]["value"] for one in found] == ["Jacket", "Jacket"]
    assert ([line.outcome for line in lines], exported) == (["created"], ["A-1"])


def test_the_first_post_is_not_done_twice(client, images):
    first = client.create_product("Scarf", images=images, idempotency_key="order-17")
    again = client.create_product("Scarf", images=images, idempotency_key="order-17")
    assert first.id == again.id
    assert len(list(client.products())) == 1
    with pytest.raises(otjang.Unprocessable):
        client.create_product("Hat", images=images, idempotency_key="order-17")

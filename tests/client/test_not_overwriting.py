"""What somebody else changed meanwhile is not overwritten."""

import pytest

import otjang


def test_what_somebody_changed_meanwhile_is_not_overwritten(client):
    created = client.create_product("first")
    known = client.product(created.id)
    client.update_product(created.id, name="second")
    with pytest.raises(otjang.PreconditionFailed):
        client.update_product(created.id, name="third", if_match=known.etag)
    assert client.product(created.id).name == "second"

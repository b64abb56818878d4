"""The portal is tested as an editor of the merchant sees it, unless a test logs in as somebody else."""

import pytest


@pytest.fixture
def client(client_of, bob):
    """The browser of an editor in the merchant, in place of pytest-django's anonymous one."""
    return client_of(bob)

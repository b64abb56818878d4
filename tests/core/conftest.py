"""What several tests of the web server arrange alike."""

import pytest

from tests.support.live_servers import application, running_server


@pytest.fixture
def site():
    """The site behind the server that `make run` starts."""
    with running_server(application) as served:
        yield served

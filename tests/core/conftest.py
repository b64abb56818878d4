"""What several tests of the web server arrange alike."""

import pytest

from config import wsgi
from tests.support.live_servers import running_server


@pytest.fixture
def site():
    """The site behind the server that `make run` starts."""
    with running_server(wsgi.application) as served:
        yield served

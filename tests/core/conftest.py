"""What several tests of the web server arrange alike."""

import pytest

from config import wsgi
from tests.support.live_servers import serving


@pytest.fixture
def site():
    """The site behind the server that `make run` starts."""
    with serving(wsgi.application) as served:
        yield served

"""Commands speak English, whatever the language of the site."""

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.utils import translation

from accounts.models import Operation
from core.commands import EnglishCommand

OURS = sorted(name for name, app in get_commands().items() if app in {"accounts", "catalog", "classifier", "config"})
FOR_PAGES = {"worker"}  # what it stores is shown on pages


@pytest.fixture(autouse=True)
def _korean():
    with translation.override("ko"):
        yield


@pytest.fixture
def folder(tmp_path):
    """A folder that holds a file called best.pt."""
    (tmp_path / "best.pt").write_bytes(b"weights")
    return tmp_path


def _refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        call_command(*map(str, arguments))
    assert translation.get_language() == "ko"
    return str(refusal.value)


def test_they_refuse_in_english(merchant, folder):
    cancelled = Operation.objects.create(kind="reclassify", state=Operation.State.CANCELLED)
    assert "nothing to go back to" in _refused("roll_back")
    assert "not in a state that allows this" in _refused("operations", cancelled.public_id, "resume")
    assert "There is no role “shoes”" in _refused("register_model", folder / "best.pt", "--role", "shoes")
    assert "holds files" in _refused("export_dataset", "--out", folder)
    assert "The precision must be" in _refused("calibrate_thresholds", "--precision", "1")
    assert "Give the key a name" in _refused("create_api_key", merchant.public_id, "--name", " ")


@pytest.mark.parametrize("name", OURS)
def test_no_command_forgets_to(name):
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, EnglishCommand) is (name not in FOR_PAGES)

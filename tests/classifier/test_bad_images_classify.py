"""A few of each kind of bad image for `manage.py classify`: a result or an error with a code for each."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.support.bad_images import TAKEN, thinned

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
CODES = {
    *("unsupported_format", "not_an_image", "empty", "damaged", "too_long"),
    *("too_many_pixels", "too_many_pixels_for_format"),
}


def test_each_gets_a_result_or_a_code(network_weights, capsys, tmp_path):
    sent = {f"{number:03}.jpg": bad for number, bad in enumerate(thinned())}
    for name, bad in sent.items():
        (tmp_path / name).write_bytes(bad.make())
    with pytest.raises(CommandError, match="could not be read"):
        call_command("classify", str(tmp_path), weights=network_weights, format="jsonl")
    results = {one["file"].rpartition("/")[2]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(results) == set(sent)
    for name, bad in sent.items():
        error = results[name]["error"]
        assert error is None or error["code"] in CODES
        if bad.expected:
            assert (error["code"] if error else TAKEN) == bad.expected, bad.name

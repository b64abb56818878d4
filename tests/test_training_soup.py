"""Runs that descend from each other become one network for all attributes."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.garments import draw_garments
from tests.test_training_command import TINY, base, train  # noqa: F401 - base is a fixture


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return draw_garments(tmp_path_factory.mktemp("garments"))


def test_it_averages_runs_and_publishes_one_network_for_all_attributes(data, base, tmp_path):  # noqa: F811
    train("category", data, base, tmp_path / "first", epochs=1)
    train("category", data, tmp_path / "first" / "last.pt", tmp_path / "second", epochs=1)
    checkpoints = [tmp_path / name / "last.pt" for name in ("first", "second")]

    share(checkpoints, data, tmp_path)

    models = json.loads((tmp_path / "weights" / "manifest.json").read_text())["models"]
    assert {entry["first_output"] for entry in models.values()} == {0, 2, 4}
    assert len({entry["files"]["torch"]["sha256"] for entry in models.values()}) == 1
    assert all(entry["mirrored"] for entry in models.values())


def test_it_does_not_average_runs_of_different_attributes(data, base, tmp_path):  # noqa: F811
    train("category", data, base, tmp_path / "first", epochs=1)
    train("sleeve_length", data, base, tmp_path / "second", epochs=1)

    with pytest.raises(CommandError, match="they learnt from other labels"):
        share([tmp_path / name / "last.pt" for name in ("first", "second")], data, tmp_path)

    assert not (tmp_path / "weights").exists()


def share(checkpoints, data, folder):
    call_command(
        "publish_shared",
        *map(str, checkpoints),
        data=data,
        image_size=TINY["image_size"],
        minimum=TINY["minimum"],
        out=folder / "shared",
        weights=folder / "weights",
        stderr=None,
    )

"""The registry keeps the files of further precisions, and workers compute in what the setting and the CPU allow."""

import json
import logging
import shutil

import pytest
from django.core import checks

from catalog.selectors import Taxonomy
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.registry import model_sets, serving, weight_files
from config.checks import check_precision
from vision.engine import precision as precisions

pytestmark = pytest.mark.django_db

EPYC = frozenset({"avx512_vnni", "avx512_bf16"})


@pytest.fixture
def folder(int8_weights, tmp_path, settings, monkeypatch):
    """Ship a copy of weights with int8 files, on a CPU that is fast in them."""
    monkeypatch.setattr(precisions, "cpu_flags", lambda: EPYC)
    monkeypatch.setattr(serving, "_networks", {})
    monkeypatch.setattr(serving, "_checked", set())
    settings.WEIGHTS_DIR = shutil.copytree(int8_weights, tmp_path / "weights")
    return settings.WEIGHTS_DIR


def served():
    return serving.active(Taxonomy.load()).engine


def change(folder, change_model):
    content = json.loads((folder / "manifest.json").read_text())
    for entry in content["models"].values():
        change_model(entry)
    (folder / "manifest.json").write_text(json.dumps(content))


def test_it_serves_the_fastest_precision_that_was_verified_and_logs_it(folder, caplog):
    with caplog.at_level(logging.INFO, "classifier"):
        engine = served()
    assert set(engine.precisions.values()) == {"int8"}
    assert "compute in int8" in caplog.text
    assert served().networks == engine.networks


@pytest.mark.parametrize("precision", ["int8", "bf16", "f32"])
def test_it_serves_what_the_setting_names(folder, settings, precision):
    settings.PRECISION = precision
    assert set(served().precisions.values()) == {precision}


def test_networks_of_another_precision_are_not_taken_for_the_same(folder, settings):
    first = served()
    settings.PRECISION = "f32"
    second = served()
    assert set(second.precisions.values()) == {"f32"}
    assert second.networks["category"] is not first.networks["category"]


def test_it_keeps_the_int8_files_and_promotes_only_with_them(folder):
    served()
    version = ModelVersion.objects.get(role="category")
    assert version.serving["verified"] == ["f32", "bf16", "int8"]
    assert {entry["path"].rpartition(".")[2] for entry in version.serving["int8_files"]} == {"xml", "bin"}
    assert all(weight_files.is_kept(entry) for entry in version.serving["int8_files"])


def test_a_known_model_learns_of_precisions_that_were_verified_later(folder):
    as_shipped = (folder / "manifest.json").read_text()
    change(folder, lambda entry: entry.pop("verified") and entry["files"].pop("openvino_int8"))
    assert set(served().precisions.values()) == {"f32"}

    (folder / "manifest.json").write_text(as_shipped)

    assert set(served().precisions.values()) == {"int8"}
    assert ModelSet.objects.count() == Deployment.objects.count() == 1
    assert ModelVersion.objects.count() == 4


def test_a_version_that_nobody_verified_runs_in_single_precision(folder, settings, caplog):
    settings.PRECISION = "int8"
    change(folder, lambda entry: entry.pop("verified"))
    assert set(served().precisions.values()) == {"f32"}
    assert "PRECISION=int8" in caplog.text
    assert "Not verified in int8" in caplog.text


def test_the_system_check_warns_of_a_precision_that_the_models_lack(folder, settings):
    assert check_precision(None) == []
    settings.PRECISION = "int8"
    assert check_precision(None) == []
    change(folder, lambda entry: entry["files"].pop("openvino_int8"))
    (found,) = check_precision(None)
    assert (found.id, found.level) == ("otjang.W002", checks.WARNING)
    assert "manage.py quantize" in found.msg


def test_the_admin_shows_what_a_set_computes_in(folder, admin_client):
    model_sets.register_shipped()
    page = admin_client.get(f"/admin/classifier/modelset/{ModelSet.objects.get().pk}/change/")
    assert "int8 (PRECISION=auto)" in page.content.decode()

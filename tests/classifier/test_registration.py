"""Weights from outside: opened once, by a process that may do nothing else, and never taken for what they are not."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse_lazy
from django.utils.translation import override

from accounts.actors import system
from accounts.models import AuditEvent, Operation
from classifier.models import ModelVersion
from classifier.registry import registration, uploads, weight_files
from core.errors import Invalid
from tests.support import original_detectors as original
from tests.support.hostile_checkpoints import building_a_layer, calling_mkdir
from vision.engine.errors import WeightsError
from vision.training import registration as opening
from vision.training.run import Run

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

CHECKPOINT = b"PK\x03\x04 and so on"  # how such files begin
UPLOAD = reverse_lazy("admin:classifier_modelversion_upload")


@pytest.fixture
def hostile(tmp_path):
    """A checkpoint whose pickle makes a folder when it is opened, and the folder."""
    path = tmp_path / "category_best.pt"
    path.write_bytes(calling_mkdir(tmp_path / "owned"))
    return path, tmp_path / "owned"


def test_it_refuses_a_pickle_that_runs_a_command(hostile, client_of, admin):
    path, owned = hostile
    with pytest.raises(CommandError, match="mkdir"):
        call_command("register_model", path, role="category", activate=True)

    client_of(admin).post(UPLOAD, {"file": SimpleUploadedFile(path.name, path.read_bytes()), "role": "category"})
    uploads.run_waiting()

    operation = Operation.objects.get()
    assert (operation.state, operation.failed) == ("failed", 1)
    assert "mkdir" in operation.error
    assert not owned.exists()
    assert not ModelVersion.objects.exists()
    assert not default_storage.exists(operation.parameters["file"])


def test_it_refuses_a_layer_that_evaluates_what_it_is_given(tmp_path):
    owned = tmp_path / "owned"
    code = f"__import__('ctypes').CDLL(None).system(b'touch {owned}')"
    with pytest.raises(Invalid, match="calls DetectionModel"):
        registration.register(actor=system(), checkpoint=building_a_layer(code), name="x", role="category")
    assert not owned.exists()


def test_the_process_that_opens_weights_has_no_network_and_starts_nothing():
    script = """
import ctypes, os, socket, subprocess
from vision.training import registration
before = os.readlink("/proc/self/ns/net")
isolated = registration.confine()
after = os.readlink("/proc/self/ns/net")
registration.refuse_programs()
for attempt in (
    lambda: socket.socket(),
    lambda: socket.create_connection(("127.0.0.1", 9), 1),
    lambda: os.system("true"),
    lambda: ctypes.CDLL(None),
    lambda: subprocess.run(["true"]),
    lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]),
):
    try:
        attempt()
    except PermissionError:
        continue
    raise SystemExit("not refused")
print("refused", isolated, before != after)
"""
    namespaces = [["unshare", "--user", "--net", "true"], ["unshare", "--net", "true"]]
    permitted = any(subprocess.run(command, capture_output=True).returncode == 0 for command in namespaces)
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120
    )
    assert result.stdout == f"refused {permitted} {permitted}\n", result.stderr


@pytest.mark.parametrize("isolated", [True, False])
def test_it_says_where_the_system_permits_no_namespace(opened, monkeypatch, caplog, isolated):
    open_ = registration._open
    monkeypatch.setattr(registration, "_open", lambda *given: replace(open_(*given), isolated=isolated))

    registration.register(actor=system(), checkpoint=CHECKPOINT, name="x", role="material")

    assert ("without a network namespace" in caplog.text) is not isolated
    assert AuditEvent.objects.get().details["network_namespace"] is isolated


def test_it_opens_only_what_fits_the_role(tmp_path, network_weights):
    for role, name, size, sentence in (
        ("garment", "category.pt", None, "only a detector"),
        ("category", "nothing.pt", None, "not a PyTorch checkpoint"),
    ):
        path = network_weights / name if name != "nothing.pt" else tmp_path / name
        if name == "nothing.pt":
            path.write_text("no checkpoint")
        with pytest.raises(WeightsError, match=sentence):
            opening.open_and_export(opening.Job(str(path), str(tmp_path), role, size))


def test_it_reads_the_size_that_training_kept(tmp_path):
    paths = original.build(tmp_path)
    found = opening.open_and_export(opening.Job(str(paths["sleeve_length"]), str(tmp_path), "sleeve_length"))
    assert (found.task, found.classes, found.input_size) == ("detect", original.SLEEVES, original.SIZE)
    assert (tmp_path / opening.NUMBERS).stat().st_size > 0


def test_it_maps_by_alias_and_by_hand_and_knows_the_same_file_again(opened, tmp_path, capsys):
    path = tmp_path / "material_best.pt"
    path.write_bytes(b"weights")
    call_command("register_model", path, role="material")
    assert "classes without a value: Teflon" in capsys.readouterr().out
    first = ModelVersion.objects.get()
    assert (first.name, first.mapping, first.unknown_classes) == ("material_best", {"Denim": "denim"}, ["Teflon"])
    assert (first.task, first.input_size, first.licence) == ("detect", 416, "AGPL-3.0")
    with pytest.raises(CommandError, match="Teflon"):
        call_command("register_model", path, role="material", activate=True)

    call_command("register_model", path, role="material")
    outside = ModelVersion.objects.filter(source_sha256=first.source_sha256)
    assert outside.count() == 1

    assert "registered already" not in capsys.readouterr().out
    call_command("register_model", path, role="material", name="another")
    said = f"This file is registered already as material_best (version:{first.pk}); its name stays.\n"
    assert said in capsys.readouterr().out
    assert outside.get().name == "material_best"

    call_command("register_model", path, role="material", map=["Teflon=vinyl/PVC"])
    second = outside.latest("pk")
    assert second.mapping == {"Denim": "denim", "Teflon": "vinyl"}
    assert second.serving["files"] == first.serving["files"]


def test_a_run_brings_what_its_training_measured(opened, tmp_path):
    options, data = {"image_size": 224}, {"name": "garments", "fingerprint": "abc"}
    run = Run(tmp_path / "run", "material-2026.12", "material", "classify", "base.pt", ["denim"], options, data)
    run.folder.mkdir()
    run.save()
    run.weights.write_bytes(b"weights")
    calibration = {"temperature": 0.8, "ece_before": 0.1, "ece_after": 0.05}
    metrics = {"val": {"top1": 0.7, "per_class": {}}, "calibration": calibration}
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    (run.folder / "card.md").write_text("# What it cannot do")
    with pytest.raises(CommandError, match="not for category"):
        call_command("register_model", run.folder, role="category")

    call_command("register_model", run.folder, role="material")

    version = ModelVersion.objects.get()
    assert (version.name, version.calibrated, version.data_fingerprint) == ("material-2026.12", True, "abc")
    assert (version.metrics["top1"], version.card) == (0.7, "# What it cannot do")
    assert (version.serving["temperature"], version.serving["mirrored"]) == (0.8, True)


def test_it_keeps_what_is_known_of_weights_beside_their_file(opened, tmp_path, capsys):
    path, card, metrics = (tmp_path / name for name in ("best.pt", "card.md", "metrics.json"))
    path.write_bytes(b"weights")
    card.write_text("# 한 가게의 사진으로 배웠습니다", encoding="utf-8")
    metrics.write_text('{"top1": 0.81}')
    given = {"licence": "CC-BY-4.0", "card": card, "metrics": metrics}
    for wrong in ({"licence": "x" * 41}, {"card": tmp_path / "none"}, {"metrics": card}, {"metrics": tmp_path / "[]"}):
        (tmp_path / "[]").write_text("[]")
        with pytest.raises(CommandError, match=r"licence|none|JSON"):
            call_command("register_model", path, role="material", **given | wrong)
    assert not ModelVersion.objects.exists()

    call_command("register_model", path, role="material", **given)

    version = ModelVersion.objects.get()
    assert (version.licence, version.card, version.metrics) == ("CC-BY-4.0", card.read_text("utf-8"), {"top1": 0.81})
    assert "stay as they were" not in capsys.readouterr().out
    call_command("register_model", path, role="material", licence="MIT")
    assert "licence, card and metrics stay as they were" in capsys.readouterr().out
    version.refresh_from_db()
    assert version.licence == "CC-BY-4.0"


def test_it_takes_no_name_that_is_too_long_before_it_opens_anything(monkeypatch, tmp_path):
    path = tmp_path / f"{'x' * 101}.pt"
    path.write_bytes(b"weights")
    monkeypatch.setattr(registration, "_open", lambda *_arguments: pytest.fail("opened"))
    for named in ({}, {"name": "가" * 101}):
        with pytest.raises(CommandError, match="The name has 101 characters; at most 100 are possible"):
            call_command("register_model", path, role="material", **named)
    assert not ModelVersion.objects.exists()


def test_it_says_that_a_file_is_missing(db):
    with pytest.raises(CommandError, match=r"^nosuch\.pt does not exist\.$"):
        call_command("register_model", "nosuch.pt", role="material")


@pytest.mark.parametrize(
    ("role", "mapping", "sentence"),
    [
        ("shoes", {}, "no role"),
        ("material", {"Teflon": "plastic"}, "plastic"),
        ("material", {"Cotton": "cotton"}, "no class"),
    ],
)
def test_it_says_what_is_wrong(opened, role, mapping, sentence):
    with override("en"), pytest.raises(Invalid, match=sentence):
        registration.register(actor=system(), checkpoint=b"weights", name="x", role=role, mapping=mapping)
    assert not ModelVersion.objects.exists()


def test_it_refuses_a_network_of_several_attributes(monkeypatch):
    def open_(*_arguments):
        return opening.Opened("classify", ["Jacket", "denim", "wool", "long"], 224, "AGPL-3.0")

    monkeypatch.setattr(registration, "_open", open_)
    with override("en"), pytest.raises(Invalid, match="several attributes at once: category, material, sleeve_length"):
        registration.register(actor=system(), checkpoint=CHECKPOINT, name="x", role="material")
    assert not ModelVersion.objects.exists()


def test_classes_that_were_mapped_by_hand_are_of_its_attribute(monkeypatch):
    def open_(_checkpoint, folder, *_others):
        (folder / opening.GRAPH).write_bytes(b"graph")
        (folder / opening.NUMBERS).write_bytes(b"numbers")
        return opening.Opened("classify", ["Dress", "Skirt", "denim", "padding"], 224, "AGPL-3.0")

    monkeypatch.setattr(registration, "_open", open_)
    mapping = {"denim": "Jeans", "padding": "PaddedJacket"}
    version = registration.register(actor=system(), checkpoint=CHECKPOINT, name="x", role="category", mapping=mapping)
    assert version.unknown_classes == []


def test_a_refused_registration_keeps_no_file(opened):
    with pytest.raises(Invalid):
        registration.register(
            actor=system(), checkpoint=CHECKPOINT, name="x", role="material", mapping={"Other": "denim"}
        )
    assert not default_storage.exists("models") or not default_storage.listdir("models")[1]


def test_half_a_file_of_a_killed_process_is_written_again():
    content = b"weights" * 100
    path = weight_files.keep(content, ".bin")["path"]
    default_storage.delete(path)
    default_storage.save(path, ContentFile(content[:10]))

    entry = weight_files.keep(content, ".bin")

    assert weight_files.stored(entry).read() == content

"""In which precision networks compute: what the CPU is good at, what the models were verified in, what was asked."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.support.drawn_images import photo
from vision.engine import Engine, Manifest, PrecisionUnavailable
from vision.engine import precision as precisions
from vision.engine.distances import keep_distances_precise
from vision.engine.precision import choose, described, shortfalls

ROLES = ["garment", "category", "material", "sleeve_length"]
AMX = frozenset({"avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"})
VNNI = frozenset({"avx512_vnni"})
EPYC = frozenset({"avx512_vnni", "avx512_bf16"})
OLD = frozenset({"avx2"})
F32_ONLY = {"INFERENCE_PRECISION_HINT": "f32"}


def all_in(precision):
    return dict.fromkeys(ROLES, precision)


@pytest.fixture
def cpu(monkeypatch):
    """Let the CPU have these instructions."""
    return lambda flags: monkeypatch.setattr(precisions, "cpu_flags", lambda: flags)


@pytest.fixture
def specs(int8_weights):
    return Manifest.load(int8_weights).models


@pytest.fixture
def changed(int8_weights, tmp_path):
    """Copy the weights with another list of verified precisions for some roles; returns the models."""

    def change(**verified):
        folder = shutil.copytree(int8_weights, tmp_path / "changed")
        content = json.loads((folder / "manifest.json").read_text())
        for role, listed in verified.items():
            content["models"][role]["verified"] = listed
        (folder / "manifest.json").write_text(json.dumps(content))
        return Manifest.load(folder).models

    return change


@pytest.mark.parametrize(
    ("flags", "expected"), [(AMX, "bf16"), (EPYC, "int8"), (VNNI, "int8"), (OLD, "f32"), (None, "f32")]
)
def test_auto_takes_what_is_fastest_on_the_cpu(specs, cpu, flags, expected):
    cpu(flags)
    assert choose(specs, "auto") == all_in(expected)


def test_auto_takes_only_what_was_verified(changed, cpu):
    cpu(AMX)
    models = changed(garment=["f32", "int8"], material=["f32"], sleeve_length=[])
    assert choose(models, "auto") == all_in("f32") | {"garment": "int8", "category": "bf16"}
    assert shortfalls(models, "auto") == []


def test_models_that_share_a_network_share_its_precision(shared_network, cpu):
    cpu(AMX)
    assert choose(shared_network, "auto") == {"category": "f32", "material": "f32", "garment": "bf16"}


@pytest.fixture
def shared_network(changed):
    """Category and material with the same files, of which only the first was verified in bf16."""
    models = changed()
    category = models["category"]
    material = replace(models["material"], files=category.files, verified=("f32",))
    return {"garment": models["garment"], "category": category, "material": material}


def test_a_precision_by_name_is_used_where_it_can_be(changed, cpu):
    cpu(EPYC)
    models = changed(material=["f32", "bf16"])
    assert choose(models, "bf16") == all_in("bf16")
    assert choose(models, "int8") == all_in("int8") | {"material": "f32"}
    (shortfall,) = shortfalls(models, "int8")
    assert "material-test" in shortfall
    assert "Not verified in int8" in shortfall


def test_what_the_cpu_lacks_falls_back_and_says_so(specs, cpu):
    cpu(VNNI)
    assert choose(specs, "bf16") == all_in("f32")
    assert shortfalls(specs, "bf16") == ["This CPU has no instructions for bf16: all models compute in f32."]


def test_models_without_int8_files_fall_back_and_say_what_to_do(network_weights, cpu):
    cpu(EPYC)
    models = Manifest.load(network_weights).models
    assert choose(models, "int8") == all_in("f32")
    (shortfall,) = shortfalls(models, "int8")
    assert "manage.py quantize" in shortfall


def test_a_system_that_tells_nothing_of_its_cpu_is_believed(specs, cpu):
    cpu(None)
    assert choose(specs, "int8") == all_in("int8")
    assert shortfalls(specs, "int8") == []


@pytest.mark.parametrize("precision", ["f32", "bf16", "int8"])
def test_every_precision_answers_nearly_the_same(int8_weights, cpu, precision):
    cpu(EPYC)
    engine = Engine.load(int8_weights, precision=precision, unverified=True)
    reference = Engine.load(int8_weights)
    assert engine.precisions == all_in(precision)
    assert described(engine.precisions) == precision
    batch = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)
    expected, found = (each.networks["category"].infer(batch) for each in (reference, engine))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 0.5 * np.abs(expected).max()
    assert (precision == "f32") == np.array_equal(found, expected)
    assert engine.classify(photo()).models == reference.classify(photo()).models


def test_it_refuses_a_precision_that_does_not_exist(network_weights):
    with pytest.raises(PrecisionUnavailable, match="no precision 'int4'; there are auto, int8, bf16, f32"):
        Engine.load(network_weights, precision="int4")


def test_it_refuses_what_is_to_be_tried_and_is_not_there(network_weights, cpu):
    cpu(VNNI)
    with pytest.raises(PrecisionUnavailable, match=r"manage\.py quantize"):
        Engine.load(network_weights, precision="int8", unverified=True)
    with pytest.raises(PrecisionUnavailable, match="no instructions for bf16"):
        Engine.load(network_weights, precision="bf16", unverified=True)


def test_torch_computes_in_single_precision(int8_weights, cpu):
    cpu(EPYC)
    assert Engine.load(int8_weights, runtime="torch", precision="auto").precisions == all_in("f32")
    with pytest.raises(PrecisionUnavailable, match="torch computes in f32, not in int8"):
        Engine.load(int8_weights, runtime="torch", precision="int8")


def test_boxes_are_summed_up_precisely_in_any_precision(network_weights):
    import openvino

    core = openvino.Core()
    for role, size, expected in (("garment", 128, 1), ("category", 64, 0)):
        batch = np.random.default_rng(0).random((1, 3, size, size), np.float32)
        model = core.read_model(network_weights / f"{role}.xml")
        before = model.clone()
        assert keep_distances_precise(model) == expected
        outputs = [core.compile_model(each, "CPU", F32_ONLY)([batch])[0] for each in (before, model)]
        np.testing.assert_allclose(*outputs, rtol=1e-3, atol=1e-3)


def test_different_precisions_are_described_by_role():
    mixed = {"garment": "int8", "category": "int8", "material": "f32"}
    assert described(mixed) == "int8 (category, garment), f32 (material)"

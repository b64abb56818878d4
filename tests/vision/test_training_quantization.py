"""`manage.py quantize`: int8 files of a weights folder, calibrated on training images."""

import json
import shutil

import pytest
from django.core.management import CommandError, call_command

from vision.engine import Manifest
from vision.training.quantization import QuantizationError, drawn_images, sensitive_layers


@pytest.fixture
def weights(network_weights, tmp_path):
    """A copy without int8 files, whose models say that they were verified in it."""
    folder = shutil.copytree(network_weights, tmp_path / "weights")
    content = json.loads((folder / "manifest.json").read_text())
    for entry in content["models"].values():
        entry["verified"] = ["f32", "int8"]
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_it_adds_int8_files_and_says_what_changes(weights, data, capsys):
    call_command("quantize", data=[data], weights=weights, images=4, compare=3)

    said = capsys.readouterr().out
    models = Manifest.load(weights).models
    for role, spec in models.items():
        assert [file.path.name for file in spec.files["openvino_int8"]] == [f"{role}-int8.xml", f"{role}-int8.bin"]
        assert all(file.read() for file in spec.files["openvino_int8"])
        assert spec.verified == ("f32",), "new files are not those that were verified"
    assert "category-int8.xml" in said
    assert "int8 against f32 on 3 images of val" in said


def test_the_same_numbers_stay_the_same_model(int8_weights, network_weights):
    before, after = (Manifest.load(folder).models for folder in (network_weights, int8_weights))
    assert {role: spec.sha256 for role, spec in before.items()} == {role: spec.sha256 for role, spec in after.items()}


def test_first_and_last_layers_and_what_follows_stay_in_floating_point(network_weights):
    import openvino

    core = openvino.Core()
    kept = sensitive_layers(core.read_model(network_weights / "garment.xml"))
    convolutions = {name.split("model.model.")[1].split("/")[0] for name in kept if "_convolution/Convolution" in name}
    # The first, the last of the two branches at both scales, and the one that sums up distances.
    assert convolutions == {"0.conv", "5.cv2.0.2", "5.cv2.1.2", "5.cv3.0.2", "5.cv3.1.2", "5.dfl.conv"}
    kept = sensitive_layers(core.read_model(network_weights / "category.xml"))
    assert [name.split("model.model.")[1].split("/")[0] for name in kept if "MatMul" in name] == ["4.linear"]


def test_it_draws_as_many_images_of_each_folder(data, tmp_path):
    other = tmp_path / "worn"
    (other / "images").mkdir(parents=True)
    header = "image,split,category,x1,y1,x2,y2\n"
    rows = ["a.jpg,train,Coat,0.1,0.1,0.9,0.5", "a.jpg,train,Jeans,0.1,0.5,0.9,0.9", "b.jpg,val,Coat,0,0,1,1"]
    (other / "garments.csv").write_text(header + "\n".join(rows) + "\n")

    drawn = drawn_images([data, other], "train", 4)

    assert [image.path.parent.parent for image in drawn] == [data, other, data, data]
    assert drawn[1].boxes == ((0.1, 0.1, 0.9, 0.5), (0.1, 0.5, 0.9, 0.9))


def test_it_refuses_folders_without_a_table(tmp_path, weights):
    with pytest.raises(QuantizationError, match=r"neither labels\.csv nor garments\.csv"):
        drawn_images([tmp_path], "train", 4)
    with pytest.raises(CommandError, match="neither"):
        call_command("quantize", data=[tmp_path], weights=weights)

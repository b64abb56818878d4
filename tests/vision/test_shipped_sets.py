"""The two sets of weights in the repository: whole, described, and told apart by their names."""

from pathlib import Path

import pytest

from vision.engine import Manifest

ROOT = Path(__file__).resolve().parent.parent.parent
SETS = (ROOT / "weights", ROOT / "weights" / "cc0")
ROLES = {"garment", "category", "material", "sleeve_length"}


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_every_file_is_what_the_manifest_lists(folder):
    models = Manifest.load(folder).models
    assert set(models) == ROLES
    for spec in models.values():
        for listed in (*spec.files.values(), *spec.mirror_files.values()):
            assert all(file.read() for file in listed)  # verifies the checksum


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_every_model_has_a_card_that_says_what_is_cleared(folder):
    for role in ROLES:
        card = (folder / f"{role}.md").read_text()
        assert "what is cleared" in card
        assert "What it cannot do" in card
        assert ("street photos of people" in card) == (folder.name == "weights")


def test_people_can_tell_them_apart():
    default, cleared = (Manifest.load(folder) for folder in SETS)
    assert default.version != cleared.version
    names = [spec.name for manifest in (default, cleared) for spec in manifest.models.values()]
    assert len(names) == len(set(names))


def test_together_they_are_under_60_megabytes():
    assert sum(file.stat().st_size for file in SETS[0].rglob("*") if file.is_file()) < 60_000_000

"""Figures of outfits: several garments per image, some hardly visible, some with a rough box."""

from pathlib import Path

import pytest

from vision.engine.taxonomy import Taxonomy
from vision.evaluation.outfits import (
    Outfit,
    Seen,
    WornGarment,
    compare,
    finding_metrics,
    hidden_metrics,
    naming_metrics,
    read_outfits,
)
from vision.training.dataset import LabelError

TOP, BOTTOM = (0.2, 0.1, 0.8, 0.5), (0.2, 0.5, 0.8, 0.9)
TAXONOMY = Taxonomy.load()


def garment(category, box, flag="", sleeve_length="", material=""):
    return WornGarment({"category": category, "sleeve_length": sleeve_length, "material": material}, box, flag)


def answer(value, confidence, *alternatives):
    others = [{"value": name, "confidence": share} for name, share in alternatives]
    return {"value": value, "confidence": confidence, "alternatives": others}


def seen(box, category, confidence=0.8, *alternatives, **others):
    """A garment as `manage.py classify` writes it."""
    line = {"box": list(box), "category": answer(category, confidence, *alternatives), "material": None} | others
    return Seen.from_json(line)


def outfit(*garments, complete=True):
    return Outfit(Path("a.jpg"), garments, complete)


def test_it_reads_a_line_of_the_command():
    one = seen(
        TOP, "Shirt", 0.7, ("Blouse", 0.2), hidden=["sleeve_length"], sleeve_length=None,
        top_category={"value": "Top", "confidence": 0.9},
    )  # fmt: skip

    assert one.box == TOP
    assert [value.value for value in one.values["category"]] == ["Shirt", "Blouse"]
    assert one.hidden == {"sleeve_length"}
    assert one.finder_top == "Top"
    assert one.first("material") is None
    assert "top_category" not in one.values


def test_it_counts_missed_found_and_surplus_garments():
    compared = compare(
        outfit(garment("Shirt", TOP), garment("Jeans", BOTTOM)),
        [seen(TOP, "Blouse"), seen((0.0, 0.0, 0.1, 0.1), "Coat")],
    )

    figures = finding_metrics([compared])

    assert (figures["garments"], figures["found"], figures["surplus"]) == (2, 0.5, 1.0)
    assert figures["found_and_right"] == 0.0


def test_what_is_hardly_visible_or_no_garment_is_neither_missed_nor_surplus():
    of_people = outfit(garment("Shirt", TOP, "p"), garment("", BOTTOM))

    nothing = finding_metrics([compare(of_people, [])])
    both = finding_metrics([compare(of_people, [seen(TOP, "Coat"), seen(BOTTOM, "Leggings")])])
    again = finding_metrics([compare(of_people, [seen(TOP, "Coat"), seen(TOP, "Shirt")])])

    assert (nothing["garments"], nothing["surplus"]) == (0, 0.0)
    assert (both["garments"], both["surplus"]) == (0, 0.0)
    assert again["surplus"] == 1.0


@pytest.mark.parametrize(("flag", "found"), [("", 0.0), ("u", 0.0), ("m", 1.0), ("mu", 1.0)])
def test_a_rough_box_counts_from_a_smaller_overlap(flag, found):
    off = (0.2, 0.1, 0.8, 0.26)  # 0.4 of it

    figures = finding_metrics([compare(outfit(garment("Shirt", TOP, flag)), [seen(off, "Shirt")])])

    assert figures["found"] == found


def test_a_garment_that_counts_comes_before_one_that_does_not():
    compared = compare(outfit(garment("Coat", TOP, "p"), garment("Shirt", TOP)), [seen(TOP, "Shirt")])

    assert [one.labels["category"] for one, _ in compared.found] == ["Shirt"]
    assert finding_metrics([compared])["found_and_right"] == 1.0


def test_only_complete_outfits_say_what_is_found_but_all_say_how_it_is_named():
    whole = compare(outfit(garment("Shirt", TOP)), [seen(TOP, "Shirt")])
    part = compare(outfit(garment("Jeans", BOTTOM), complete=False), [seen(BOTTOM, "Pants"), seen(TOP, "Coat")])

    finding, naming = finding_metrics([whole, part]), naming_metrics([whole, part], TAXONOMY)

    assert (finding["images"], finding["garments"], finding["surplus"]) == (1, 1, 0.0)
    assert (naming["found"], naming["category_top1"], naming["top_level"]) == (2, 0.5, 1.0)


def test_it_judges_names_of_found_garments_where_they_are_labelled():
    compared = [
        compare(
            outfit(garment("Shirt", TOP, sleeve_length="long", material="woven")),
            [seen(TOP, "Blouse", 0.6, ("Tshirt", 0.2), ("Shirt", 0.1), material=answer("woven", 0.9))],
        ),
        compare(
            outfit(garment("Coat", TOP, sleeve_length="long")),
            [seen(TOP, "Dress", 0.5, ("Shirt", 0.3), ("Skirt", 0.1), ("Coat", 0.05), sleeve_length=answer("long", 1))],
        ),
    ]  # fmt: skip

    figures = naming_metrics(compared, TAXONOMY)

    assert (figures["category_top1"], figures["top3"], figures["top_level"]) == (0.0, 0.5, 0.5)
    assert (figures["sleeve_length_n"], figures["sleeve_length_top1"]) == (2, 0.5)
    assert (figures["material_n"], figures["material_top1"]) == (1, 1.0)
    assert figures["ece"] == pytest.approx((0.6 + 0.5) / 2)


def test_a_find_without_a_category_is_wrong_and_outside_the_calibration():
    nameless = Seen.from_json({"box": list(TOP), "category": None, "material": None})

    figures = naming_metrics([compare(outfit(garment("Shirt", TOP)), [nameless])], TAXONOMY)

    assert (figures["found"], figures["category_top1"], figures["top_level"], figures["ece_n"]) == (1, 0.0, 0.0, 0)


def test_it_measures_what_is_called_hidden_over_garments_that_can_have_sleeves():
    hidden, shown = {"hidden": ["sleeve_length"]}, {}
    rows = [
        (garment("Shirt", TOP), hidden),  # rightly
        (garment("Shirt", TOP), shown),  # guessed
        (garment("Coat", TOP, sleeve_length="long"), hidden),  # wrongly
        (garment("Coat", TOP, sleeve_length="long"), shown),
        (garment("Jeans", TOP), hidden),  # has none
    ]
    compared = [compare(outfit(truth), [seen(TOP, "Shirt", **said)]) for truth, said in rows]

    figures = hidden_metrics(compared, "sleeve_length", TAXONOMY)

    assert (figures["n"], figures["positive"]) == (4, 2)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)


def test_it_reads_tables_with_and_without_splits_and_names_a_bad_line(tmp_path):
    table = tmp_path / "garments.csv"
    table.write_text(
        "image,split,category,sleeve_length,material,x1,y1,x2,y2,flag,complete\n"
        "a.jpg,val,Coat,long,wool,0,0,1,0.5,,1\na.jpg,val,Jeans,,denim,0,0.5,1,1,m,0\nb.jpg,train,,,,0,0,1,1,,1\n"
    )

    (first,) = read_outfits(table, "val")
    assert (len(first.garments), first.complete) == (2, False)
    assert len(read_outfits(table)) == 2

    table.write_text("image,category,sleeve_length,material,x1,y1,x2,y2\na.jpg,Coat,long,wool,0,0,1,1\n")
    assert read_outfits(table, "val")[0].path == tmp_path / "a.jpg"

    table.write_text("image,category,sleeve_length,material,x1,y1,x2,y2\na.jpg,Coat,long,wool,0,zero,1,1\n")
    with pytest.raises(LabelError, match="line 2"):
        read_outfits(table)

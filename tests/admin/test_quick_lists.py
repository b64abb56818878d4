"""The markup of the admin's lists that is worked out once is what the theme would have written each time."""

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override
from unfold import utils
from unfold.templatetags import unfold_list

from catalog.admin.products import STATUS_COLOURS

IMAGE = {"path": "/media/a?b=1&c=2", "squared": True}


@pytest.mark.parametrize(
    "value",
    [
        ["Coat", "SKU-1", "", IMAGE],
        ["-SUBTITLE-", "-TITLE- -PATH-", "", IMAGE],
        ["<b>Coat</b>", "'\"&", "", {**IMAGE, "path": '"><script>'}],
        ["", "", "", None],
        ["Coat", "", "CO"],
        ["Coat", "SKU-1"],
        ("Coat", "SKU-1", "", {"squared": True}),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_name_with_what_is_beside_it(value, language):
    with override(language):
        for _again in range(2):
            assert unfold_list.display_for_header(value, "-") == utils.display_for_header(value, "-")


@pytest.mark.parametrize("text", ["발행됨", "published", "게시됨", "<i>", "", "nothing of these"])
def test_a_word_on_a_colour(text):
    colours = STATUS_COLOURS | {text: "danger"}
    for label in (STATUS_COLOURS, colours, True):
        for _again in range(2):
            assert unfold_list.display_for_label(text, "-", label) == utils.display_for_label(text, "-", label)


def test_what_is_no_text_is_the_themes():
    colours = {"a": "info"}
    for value in (None, 3, ("a", "b"), gettext_lazy("Products"), mark_safe("a"), mark_safe("<i>a</i>")):
        assert unfold_list.display_for_label(value, "-", colours) == utils.display_for_label(value, "-", colours)

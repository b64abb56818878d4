"""`scripts/check_words.py` finds words that have another name here, where they mean that thing."""

import pytest

from scripts.check_words import check


def found(path, source):
    return [(word.line, word.text) for word in check(path, source)]


@pytest.mark.parametrize(
    ("path", "source", "text"),
    [
        ("catalog/views/x.py", "def first_photograph(): ...", "first_photograph"),
        ("catalog/views/x.py", "# one for whoever asks", "whoever"),
        ("catalog/views/x.py", "product.row = None", "product.row"),
        ("catalog/services/x.py", "standing = 1", "standing"),
        ("accounts/x.py", "shop = merchant", "shop"),
        ("catalog/migrations/0099_x.py", 'name="via"', "via"),
        ("templates/x.html", "{# the door #}", "door"),
        ("docs/x.md", "That is no JSON.", "is no JSON"),
        ("docs/x.md", "One line a file.", "One line a file"),
        ("docs/x.md", "an display copy", "an display"),
        ("locale/ko/LC_MESSAGES/django.po", 'msgid ""\n"Load it anew."\nmsgstr "…"', "anew"),
    ],
)
def test_it_finds_a_word_with_another_name(path, source, text):
    assert text in [text for _line, text in found(path, source)]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("accounts/x.py", '_("Only an owner of the shop may do this.")'),
        ("templates/x.html", "this shop's products"),
        ("demo/shop.py", "shop = create_demo_shop()"),
        ("docs/x.md", "There is no image. It is no longer there."),
        ("docs/x.md", "an hour, a unique key, an image, a European one, a one-off"),
        ("catalog/x.py", "outstanding = indoor = 1"),
        ("vision/training/x.py", "for row in rows: rights_of_way = row"),
        ("locale/ko/LC_MESSAGES/django.po", 'msgid "photo"\nmsgstr "photograph"'),
    ],
)
def test_it_leaves_alone_what_means_something_else(path, source):
    assert found(path, source) == []


def test_it_names_the_line():
    assert found("docs/x.md", "First.\n\nStart anew.") == [(3, "anew")]

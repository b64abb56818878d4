"""Korean particles follow the word that was filled in, in our texts and in those of Django's admin."""

from gettext import GNUTranslations

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy, override

from core.errors import Invalid
from core.particles import NEUTRAL, ParticleText, particle


@pytest.mark.parametrize(
    ("word", "objects", "ways"),
    [
        ("셔츠", "를", "로"),
        ("재킷", "을", "으로"),
        ("양말", "을", "로"),  # ㄹ
        ("AJ-1042", "를", "로"),
        ("AJ-1041", "을", "로"),  # 일
        ("AJ-1040", "을", "으로"),  # 영
        ("95%", "를", "로"),  # 퍼센트
        ("XL", "을", "로"),
        ("SKU", "를", "로"),
        ("denim", "을", "으로"),
        ("denim jacket", "을", "으로"),
        ("style", "을", "로"),
        ("coat", "를", "로"),
        ("front.jpg", "를", "로"),
        ("“셔츠”", "를", "로"),
        ("재킷 (M)", "을", "으로"),
        ("재킷&quot;", "을", "으로"),
        ("<b>재킷</b>", "을", "으로"),
        ("", "을(를)", "(으)로"),
        ("🧥", "을(를)", "(으)로"),
        ("衣", "을(를)", "(으)로"),
    ],
)
def test_it_hears_how_a_word_ends(word, objects, ways):
    assert (particle(word, "을(를)"), particle(word, "(으)로")) == (objects, ways)


def test_it_knows_every_pair():
    assert [particle("재킷", pair) for pair in NEUTRAL] == ["을", "이", "은", "과", "과", "으로"]
    assert [particle("셔츠", pair) for pair in NEUTRAL] == ["를", "가", "는", "와", "와", "로"]


def test_translations_choose_when_the_name_is_put_in():
    text = "%(product)s was deleted for good."
    lazy = gettext_lazy("%(product)s was deleted for good.")
    with override("ko"):
        assert gettext(text) % {"product": "셔츠"} == "셔츠를 완전히 삭제했습니다."
        assert lazy % {"product": "재킷"} == "재킷을 완전히 삭제했습니다."
        assert Invalid("x", lazy, {"product": "재킷"}).message == "재킷을 완전히 삭제했습니다."
        template = Template(
            "{% load i18n %}{% blocktranslate %}{{ product }} was deleted for good.{% endblocktranslate %}"
        )
        assert template.render(Context({"product": "<양말>"})) == "&lt;양말&gt;을 완전히 삭제했습니다."


def test_the_admin_s_own_texts_choose_too_and_stay_safe():
    with override("ko"):
        text = gettext("The {name} “{obj}” was added successfully. You may add another {name} below.")
        said = format_html(text, name="상품", obj=format_html("<a>{}</a>", "<셔츠"))
    assert said == "상품 “<a>&lt;셔츠</a>”를 추가했습니다. 아래에서 상품을 하나 더 추가할 수 있습니다."


def test_what_a_person_typed_is_left_alone():
    with override("ko"):
        assert (
            gettext("%(product)s was deleted for good.") % {"product": "책을(를)"} == "책을(를)을 완전히 삭제했습니다."
        )


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_no_translation_of_ours_shows_both_forms(domain):
    """The neutral form may only stand right behind a placeholder, where it is resolved."""
    ours = GNUTranslations((settings.BASE_DIR / f"locale/ko/LC_MESSAGES/{domain}.mo").open("rb"))._catalog
    for text in ours.values():
        marked = ParticleText(text)._marked() if domain == "django" else text
        for pair in NEUTRAL:
            assert marked.count(pair) == marked.count(f"\ue000{pair}\ue001"), text

"""Who is let in where: every address of the URL configuration, asked by everybody. The table is addresses.txt."""

from copy import deepcopy
from itertools import groupby

import pytest

from tests.support.address_forms import posted
from tests.support.addresses import LET_IN, METHODS, PERSONAS, row, table, without_operations, word
from tests.support.everything import everything, taken_back, written

pytestmark = pytest.mark.django_db

ADDRESSES = without_operations()
_SORTED = sorted(ADDRESSES.values(), key=lambda one: (one.group, one.route))
GROUPS = {name: list(found) for name, found in groupby(_SORTED, lambda one: one.group)}


def test_every_address_has_a_row():
    asked = {(route, method) for route in ADDRESSES for method in METHODS}
    assert asked - set(table()) == set(), "run the walk, judge what it says, and add the rows"
    assert set(table()) - asked == set(), "there are no such addresses (any more)"


def _ask(world, browser, address, method, path, unchanged=None):
    cookies = deepcopy(browser.cookies)
    with written() as statements:
        answer = posted(browser, path, address, world) if method == "POST" else browser.get(path)
    changed = bool(statements) and unchanged is not None and everything() != unchanged
    browser.cookies = cookies  # they log in and out, too
    return word(answer, changed and answer.status_code < 400), changed


def _answers(world, browsers, address, method, unchanged):
    """What everybody is answered. Who is refused must leave everything as it was."""
    path = address.path(world.values(address))
    expected = table().get((address.route, method), {})
    said = {}
    for who in PERSONAS:
        if who in expected and expected[who] not in LET_IN:
            said[who], changed = _ask(world, browsers[who], address, method, path, unchanged)
            assert not changed, f"{who} was refused and changed something: {method} {path}"
    for who in set(PERSONAS) - set(said):
        with taken_back():
            said[who], _changed = _ask(world, browsers[who], address, method, path, unchanged)
    return said


@pytest.mark.parametrize("group", GROUPS)
def test_it_answers_everybody_as_the_table_says(group, world, browsers):
    for address in GROUPS[group]:  # before: what is made of one may be in the next one's way
        world.values(address)
    said = {}
    for method in METHODS:  # first everybody looks: files that a form deletes do not come back
        unchanged = everything() if method == "POST" else None
        for address in GROUPS[group]:
            said[address.route, method] = _answers(world, browsers, address, method, unchanged)
    expected = table()
    wrong = [row(*key, words) for key, words in said.items() if expected.get(key) != words]
    assert not wrong, "not what the table says:\n" + "\n".join(wrong)

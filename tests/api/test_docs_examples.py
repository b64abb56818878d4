"""Every example of docs/api.md and of the client's README runs as written, and answers what is written beside it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from catalog.models import Product
from tests.support.drawn_images import photo
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.live_servers import application, running_server
from tests.support.live_workers import running_worker
from webhooks.models import EventType

ROOT = Path(__file__).parent.parent.parent
PAGES = ["docs/api.md", "clients/python/README.md"]
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANYTHING = "…"
_MARK = "--- the next example"
_PATIENCE = 600  # seconds, of all examples of a page; a busy machine is slow, not wrong

FOUND = garment({"Jacket": 0.91, "Jumper": 0.05}, material="denim", sleeve_length="long")


def examples(page):
    """The fenced blocks of a page: (language, text)."""
    return _FENCED.findall((ROOT / page).read_text())


def differences(said, answer, path=""):
    """Where an answer is not what the page says: it may say more, and … stands for anything."""
    if said == _ANYTHING:
        return []
    if isinstance(said, dict) and isinstance(answer, dict):
        return [
            line
            for name, value in said.items()
            for line in (
                differences(value, answer[name], f"{path}/{name}") if name in answer else [f"{path}/{name} is missing"]
            )
        ]
    if isinstance(said, list) and isinstance(answer, list) and len(said) == len(answer):
        return [
            line
            for number, pair in enumerate(zip(said, answer, strict=True))
            for line in differences(*pair, f"{path}/{number}")
        ]
    return [] if said == answer else [f"{path} is {answer!r}, not {said!r}"]


@pytest.fixture
def shell(transactional_db, monkeypatch, settings, tmp_path, merchant):
    """What a reader has: a site, files, and a key by the command that the page names."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.OTJANG_WAITING_CALLERS = 4
    serve(monkeypatch, StubEngine(FOUND))
    for number, name in enumerate(("front.jpg", "back.jpg", "label.jpg")):
        (tmp_path / name).write_bytes(photo((200, number * 40, 30)))
    (tmp_path / "notes.txt").write_text("milk, bread")
    merchant.name = "옷장 데모 상점"
    merchant.save()
    with running_server(application) as served, running_worker():
        yield {
            "OTJANG_URL": f"http://127.0.0.1:{served.site.port}",
            "OTJANG_KEY": _key(),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "clients/python/src"),
            "LC_ALL": "C.UTF-8",
        }


def _key():
    """Run the command that makes a key, as it is written."""
    (lines,) = [text for language, text in examples("docs/api.md") if language == "console"]
    words = shlex.split(lines.splitlines()[0].removeprefix("$ "))
    out = StringIO()
    call_command(*words[words.index("manage.py") + 1 :], stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def _run(command, text, shell, folder):
    ended = subprocess.run(
        command, input=text, env=shell, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_marked_as_what_they_are(page):
    languages = {language for language, _text in examples(page)}
    assert languages <= {"console", "sh", "json", "text", "python"}
    assert (ROOT / page).read_text().count("```") == 2 * len(examples(page))


def test_every_status_and_event_has_its_line():
    page = (ROOT / "docs/api.md").read_text()
    names = [*Product.Status.values, *EventType.values]
    assert not [name for name in names if f"| `{name}` |" not in page]


@pytest.mark.parametrize("page", PAGES)
def test_no_loop_takes_the_name_of_what_an_example_goes_on_with(page):
    """The next example would change the last product of the list instead of the reader's own."""
    python = "\n".join(text for language, text in examples(page) if language == "python")
    taken = set(re.findall(r"\bfor (\w+) in client\.\w+\(", python))
    assert not taken & set(re.findall(r"^ *(\w+) = ", python, re.MULTILINE))


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_shell_examples_answer_what_the_page_says(shell, tmp_path):
    script, expected = ["set -eu"], []
    for language, text in examples("docs/api.md"):
        if language == "sh":
            script += [f"echo '{_MARK}'", text]
            expected.append(None)
        elif language in {"json", "text"}:
            expected[-1] = (language, text)
    _before, *said = _run(["bash"], "\n".join(script), shell, tmp_path).split(f"{_MARK}\n")
    assert len(said) == len(expected)
    for (language, text), answer in [pair for pair in zip(expected, said, strict=True) if pair[0]]:
        if language == "json":
            assert differences(json.loads(text), json.loads(answer)) == []
        else:
            assert answer == text


@pytest.mark.parametrize("page", PAGES)
def test_the_python_examples_run(page, shell, tmp_path):
    blocks = [text for language, text in examples(page) if language == "python"]
    _run([sys.executable], "\n\n".join(blocks), shell, tmp_path)

import os
import subprocess
import sys

from django.conf import settings
from PIL import Image

from tests.support.drawn_images import photo

HEAVY = ["torch", "torchvision", "ultralytics", "openvino", "onnxruntime", "cv2"]

# A process of its own: this one has run engine tests. It answers pages of the portal, the admin and the API.
SCRIPT = r"""
import pathlib, re, sys
from config.wsgi import application
from django.test import Client
for path in ("/", "/nowhere", "/admin/login/", "/api/v1/docs", "/api/v1/schema"):
    Client().get(path)
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
print(int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""

# Two of the largest PNGs that may come, at once.
CHECKS = r"""
import pathlib, re, sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from vision.engine.decode import decode
data = pathlib.Path(sys.argv[1]).read_bytes()
with ThreadPoolExecutor(2) as threads:
    sizes = {decoded.image.size for decoded in threads.map(lambda _n: decode(data, detail=1200), range(2))}
assert sizes == {(1260, 1260)}
print(int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""

# How much more it takes to decode an image: its detail and most pixels are put in.
ONE = r"""
import pathlib, re, sys
import django
django.setup()
from vision.engine.decode import decode
from vision.engine.memory import give_large_blocks_back
give_large_blocks_back()
before = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1])
decode(pathlib.Path(sys.argv[1]), detail=DETAIL, most_pixels=16_000_000)
print((int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) - before) // 1024)
"""


def megabytes_of(script, path):
    """What a process says at its end that it held, given a file."""
    result = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=settings.BASE_DIR,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout.splitlines()[-1])


def test_it_decodes_large_images_one_at_a_time(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(photo(size=(6300, 6300), kind="PNG", compress_level=1))
    assert megabytes_of(CHECKS, path) < 320  # 160 of them are one such image


def test_a_long_strip_takes_what_it_is_and_what_comes_of_it(tmp_path):
    path = tmp_path / "strip.png"
    path.write_bytes(photo(size=(39_900, 680), kind="PNG", compress_level=1))
    # As copies are made of it: 109 and 64 of them are the pixels before and after.
    assert megabytes_of(ONE.replace("DETAIL", "1200"), path) < 220


def test_a_large_image_that_is_only_looked_at_takes_what_it_is(tmp_path):
    path = tmp_path / "large.png"
    Image.new("RGBA", (6300, 6300), (200, 30, 30, 128)).save(path, "PNG", compress_level=1)
    assert megabytes_of(ONE.replace("DETAIL", "100"), path) < 220  # 159 of them are its pixels


def test_it_serves_pages_without_loading_any_network_and_below_200_megabytes():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, *HEAVY], cwd=settings.BASE_DIR, env=os.environ, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    loaded, megabytes = result.stdout.splitlines()[-2:]
    assert loaded == ""
    assert int(megabytes) < 200

import os
import subprocess
import sys

from django.conf import settings

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


def test_it_decodes_large_images_one_at_a_time(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(photo(size=(6300, 6300), kind="PNG", compress_level=1))
    result = subprocess.run(
        [sys.executable, "-c", CHECKS, str(path)],
        cwd=settings.BASE_DIR,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout.splitlines()[-1]) < 320  # 160 of them are one such image


def test_it_serves_pages_without_loading_any_network_and_below_200_megabytes():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, *HEAVY], cwd=settings.BASE_DIR, env=os.environ, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    loaded, megabytes = result.stdout.splitlines()[-2:]
    assert loaded == ""
    assert int(megabytes) < 200

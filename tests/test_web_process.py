import os
import subprocess
import sys

from django.conf import settings

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


def test_it_serves_pages_without_loading_any_network_and_below_200_megabytes():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, *HEAVY], cwd=settings.BASE_DIR, env=os.environ, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    loaded, megabytes = result.stdout.splitlines()[-2:]
    assert loaded == ""
    assert int(megabytes) < 200

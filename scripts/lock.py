"""Write requirements*.lock: what requirements*.txt and constraints.txt come to, each with the hashes of its files.

`make lock` runs it, after any change of those files. It asks the package index; the versions are those that
constraints.txt names, so nothing is upgraded here.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOGETHER = ("requirements", "requirements-production", "requirements-dev")
ALONE = ("requirements-container", "requirements-tools")  # not in one environment with the others
HEADER = """\
# Written by `make lock`, read by scripts/install. Not edited: requirements*.txt and constraints.txt say what is wanted.
"""

# torch's own index has wheels without CUDA, which PyPI lacks: torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl
CPU_WHEELS = {"torch==2.13.0": ("6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",)}


def compiled(uv: str, name: str) -> str:
    """Return the lock of a set. Raises CalledProcessError where versions contradict each other."""
    command = [uv, "pip", "compile", "--quiet", "--config-file", "scripts/lock.toml", "--universal"]
    command += ["--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header"]
    if name == "requirements-container":
        command.append("--no-deps")
    if name in TOGETHER:
        command += ["--constraint", "constraints.txt"]
    return subprocess.run([*command, f"{name}.txt"], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def with_cpu_wheels(lock: str) -> str:
    """Return the lock with the hashes of wheels that come from elsewhere."""
    for pin, hashes in CPU_WHEELS.items():
        added = "".join(f"    --hash=sha256:{each} \\\n" for each in hashes)
        lock = lock.replace(f"{pin} \\\n", f"{pin} \\\n{added}")
    return lock


def main() -> None:
    """Write them with the uv of the first argument."""
    for name in (*TOGETHER, *ALONE):
        try:
            lock = compiled(sys.argv[1], name)
        except subprocess.CalledProcessError as error:
            sys.exit(f"{name}: {error.stderr}")
        (ROOT / f"{name}.lock").write_text(HEADER + with_cpu_wheels(lock))


if __name__ == "__main__":
    main()

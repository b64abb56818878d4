"""In which precision a network computes: what this CPU has units for, and in what a model's answers were measured.

int8 has files of its own (`openvino_int8` in the manifest); bf16 and f32 share theirs. With tile units (AMX) bf16 is
the fastest, as the activations between the layers stay floating-point; without them int8 is, where its products have
instructions (VNNI). docs/decisions.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .errors import EngineError
from .manifest import ModelSpec

INT8, BF16, F32 = "int8", "bf16", "f32"
PRECISIONS = (INT8, BF16, F32)
AUTO = "auto"
CHOICES = (AUTO, *PRECISIONS)

OPENVINO = "openvino"
RUNTIME_FILES = {INT8: "openvino_int8", BF16: OPENVINO, F32: OPENVINO}
"""Which entry of a model's `files` a precision reads."""

_CPU_DESCRIPTION = Path("/proc/cpuinfo")


class PrecisionUnavailable(EngineError):
    """A precision was asked for that this CPU or this model cannot compute in; the message says what to do."""


@cache
def cpu_flags() -> frozenset[str] | None:
    """What instructions this CPU has, as Linux calls them; None where the system does not say."""
    try:
        lines = _CPU_DESCRIPTION.read_text(errors="replace").splitlines()
    except OSError:
        return None
    return next((frozenset(line.split(":", 1)[1].split()) for line in lines if line.startswith("flags")), frozenset())


def fastest_first(flags: frozenset[str] | None) -> tuple[str, ...]:
    """The precisions that a CPU with these `flags` is quicker in than the next one; single precision ends the list."""
    found = flags or frozenset()
    if "amx_bf16" in found:
        return (BF16, INT8, F32)
    fast = [INT8] if found & {"avx512_vnni", "avx_vnni"} else []
    fast += [BF16] if "avx512_bf16" in found else []
    return (*fast, F32)


def choose(
    specs: Mapping[str, ModelSpec], asked: str, *, unverified: bool = False, flags: frozenset[str] | None = None
) -> dict[str, str]:
    """In which precision each model computes, by role. Models that share a network share its precision.

    Args:
        specs: the models of a set.
        asked: `auto` for the fastest on this CPU, or the name of one, which models have where they can and the others
            compute in f32: see `shortfalls`.
        unverified: take what was `asked` by name as it is, whether it was verified or not, or raise.
        flags: what the CPU has; by default this one's.

    Raises:
        PrecisionUnavailable: an unknown name; or `unverified`, and the CPU or a model's files cannot do it.
    """
    if asked not in CHOICES:
        raise PrecisionUnavailable(f"There is no precision {asked!r}; there are {', '.join(CHOICES)}.")
    known = cpu_flags() if flags is None else flags
    if unverified and asked != AUTO:
        _require(specs, asked, known)
        return dict.fromkeys(specs, asked)
    able = fastest_first(known)
    wanted = able if asked == AUTO else (asked,) if known is None or asked in able else ()
    sharing: dict[object, list[ModelSpec]] = {}
    for spec in specs.values():
        sharing.setdefault(_network(spec), []).append(spec)
    return {
        role: next((each for each in wanted if all(_allows(other, each) for other in sharing[_network(spec)])), F32)
        for role, spec in specs.items()
    }


def shortfalls(specs: Mapping[str, ModelSpec], asked: str) -> list[str]:
    """Why models do not compute in the precision that was asked for by name, in sentences; empty if all do."""
    chosen = choose(specs, asked)
    if asked == AUTO or all(precision == asked for precision in chosen.values()):
        return []
    flags = cpu_flags()
    if flags is not None and asked not in fastest_first(flags):
        return [f"This CPU has no instructions for {asked}: all models compute in f32."]
    lacking = [specs[role] for role, precision in chosen.items() if precision != asked]
    without = [spec.name for spec in lacking if not _has_files(spec, asked)]
    unverified = [spec.name for spec in lacking if _has_files(spec, asked)]
    found = []
    if without:
        found.append(f"Without {asked} files, which `manage.py quantize` makes, in f32: {', '.join(without)}.")
    if unverified:
        found.append(f"Not verified in {asked} by their manifest, so in f32: {', '.join(unverified)}.")
    return found


def described(precisions: Mapping[str, str]) -> str:
    """For people: `bf16`, or `int8 (category, garment), f32 (material)` where models differ."""
    roles = {each: sorted(role for role in precisions if precisions[role] == each) for each in PRECISIONS}
    used = {each: names for each, names in roles.items() if names}
    if len(used) <= 1:
        return next(iter(used), F32)
    return ", ".join(f"{each} ({', '.join(names)})" for each, names in used.items())


def _network(spec: ModelSpec) -> object:
    return spec.networks(OPENVINO) if OPENVINO in spec.files else spec.name


def _has_files(spec: ModelSpec, precision: str) -> bool:
    listed = [spec.files, *([spec.mirror_files] if spec.mirrored and spec.mirror_files else [])]
    return all(RUNTIME_FILES[precision] in files for files in listed)


def _allows(spec: ModelSpec, precision: str) -> bool:
    return precision == F32 or (precision in spec.verified and _has_files(spec, precision))


def _require(specs: Mapping[str, ModelSpec], precision: str, flags: frozenset[str] | None) -> None:
    if precision != F32 and flags is not None and precision not in fastest_first(flags):
        raise PrecisionUnavailable(f"This CPU has no instructions for {precision}: choose f32 or auto.")
    lacking = [spec.name for spec in specs.values() if not _has_files(spec, precision)]
    if lacking:
        raise PrecisionUnavailable(
            f"There are no {precision} files of {', '.join(lacking)}: make them with `manage.py quantize`, "
            "or choose auto, bf16 or f32."
        )

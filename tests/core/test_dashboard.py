"""Grafana's dashboard and the alarms ask for metrics that exist, with labels that these have."""

import json
import re
from importlib import import_module

import pytest
import yaml
from django.conf import settings

from core.metrics import DEFINED

for _name in ("config.measuring", "config.server", "classifier.jobs.measured", "catalog.services.uploads_measured"):
    import_module(_name)

DEPLOY = settings.BASE_DIR / "deploy"
OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}  # Prometheus' and its client's own
OTHER_LABELS = {"job", "instance", "le"}


def _panels():
    dashboard = json.loads((DEPLOY / "grafana/otjang.json").read_text())
    return {panel["title"]: panel for panel in dashboard["panels"] if panel["type"] != "row"}


def _alerts():
    groups = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


EXPRESSIONS = [target["expr"] for panel in _panels().values() for target in panel["targets"]] + _alerts()


def _metrics(expression):
    """Take the names of metrics out of an expression, each with the labels that it is asked by."""
    found = re.findall(r"\b((?:otjang|process)_\w+|up(?=\{))(?:\{([^}]*)\})?", expression)
    return {name: set(re.findall(r"(\w+)\s*[=!]", labels)) for name, labels in found}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_exists_with_its_labels(expression):
    series = {name: metric for metric in DEFINED.values() for name in metric.series}
    found = _metrics(expression)
    assert found
    for name, labels in found.items():
        assert name in series or name in OTHERS
        if name in series:
            assert labels <= {*series[name].labels, *OTHER_LABELS}
    known = {label for name in found if name in series for label in series[name].labels} | OTHER_LABELS
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in by.split(",")} <= known


def test_every_metric_of_the_site_is_shown():
    asked = {name for expression in EXPRESSIONS for name in _metrics(expression)}
    ours = {name: metric for name, metric in DEFINED.items() if name.startswith("otjang_") and "thing" not in name}
    assert not {name for name, metric in ours.items() if not asked & metric.series}


def test_panels_do_not_overlap_and_have_ids_of_their_own():
    panels = list(_panels().values())
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken
        taken |= cells


def test_every_metric_is_explained():
    explained = (settings.BASE_DIR / "docs/observability.md").read_text()
    assert not {name for name in DEFINED if f"`{name}" not in explained}

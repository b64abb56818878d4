"""Classified products to export as a data set, and what the command wrote."""

import io

from django.core.management import call_command

from tests.support.fake_engines import garment
from tests.support.stored_files import rows_of

JACKET = garment({"Jacket": 0.8, "Jumper": 0.15}, material="denim", sleeve_length="long")
JEANS = garment("Jeans", box=(0.3, 0.5, 0.7, 1.0), material="denim")


def export_to(out, **options):
    output = io.StringIO()
    call_command("export_dataset", out=out, verbosity=0, stdout=output, **options)
    return output.getvalue()


def labels(out):
    return rows_of(out / "labels.csv")

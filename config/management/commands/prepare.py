from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command

from accounts.models import Merchant
from accounts.ready_groups import load_groups
from core.commands import EnglishCommand
from core.startup import require_sound_database


class Command(EnglishCommand):
    help = (
        "Bring the database up to date: migrations, the taxonomy, the groups for staff and, where there is no merchant "
        "yet, the demo shop."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="create no demo shop")

    def handle(self, *args: Any, no_demo: bool, **options: Any) -> None:
        require_sound_database()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_taxonomy", verbosity=0)
        call_command("load_mappings", verbosity=0)
        load_groups()
        if not no_demo and not Merchant.objects.exists():
            call_command("create_demo")

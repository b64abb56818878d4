#!/usr/bin/env python
"""Otjang's command line: `python manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    """Run one management command; a wrong setting ends in its sentence instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Otjang cannot start: {error}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if "serve" not in sys.argv[1:2]:
        os.environ.setdefault("DATABASE_TIMEOUT", "0")  # nobody waits for a command: a migration may take its time
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

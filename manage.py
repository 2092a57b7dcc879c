#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if "serve" not in sys.argv[1:2] and not os.environ.get("DATABASE_TIMEOUT", "").strip():
        os.environ["DATABASE_TIMEOUT"] = "0"  # nobody waits for a command: a migration may take its time
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

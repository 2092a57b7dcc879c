from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.sandbox.command_line import add_arguments, serve


class Command(BaseCommand):
    help = "Run a stand-in for the platform, with books and a page of its own."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        serve(options)

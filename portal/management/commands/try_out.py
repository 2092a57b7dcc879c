"""`manage.py try_out`: the portal and the sandbox platform side by side, with demo data, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Load demo data and run the portal against a sandbox platform; only with DEBUG on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=HOST)
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--sandbox-port", type=int, default=9000)

    def handle(self, *args: Any, host: str, port: int, sandbox_port: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("DEBUG is off: this is for trying out only.")
        for name, wanted in (("PORT", port), ("SANDBOX_PORT", sandbox_port)):
            if _is_taken(wanted):
                raise CommandError(f"Port {wanted} is taken; choose another: make run {name}={wanted + 1}")
        call_command("demo")
        sandbox = [sys.executable, "-m", "portal.sandbox", f"--port={sandbox_port}"]
        portal = [sys.executable, "manage.py", "serve", f"--host={host}", f"--port={port}"]
        environment = {
            **os.environ,
            "PUBLIC_URL": f"http://{HOST}:{port}",
            "WIKEYUN_BASE_URL": f"http://{HOST}:{sandbox_port}/rest/",
            "WIKEYUN_APP_KEY": "sandbox",
            "WIKEYUN_APP_SECRET": "sandbox-secret",  # the sandbox's own, known to everybody
            "WIKEYUN_STORE_ID": "1",
        }
        self.stdout.write(f"Portal:  http://{host}:{port}/    Sandbox platform: http://{HOST}:{sandbox_port}/")
        self.stdout.write("Ctrl-C ends both.")
        self.stdout.flush()
        _run_until_one_ends([sandbox, portal], environment)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _run_until_one_ends(commands: list[list[str]], environment: dict[str, str]) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    processes = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)  # noqa: S603  (our own commands)
        for command in commands
    ]
    try:
        os.wait()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in reversed(processes):
            process.wait()

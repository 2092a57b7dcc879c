"""The process in which a list becomes a batch, and nothing else: `python -m tests.benchmarks.batch_inside FILE`.

It speaks WSGI to the portal, as a web server does, on the database of the environment. Prints as JSON by how much
memory rose above that of the idle process, at its highest: until the list was looked at, and until the batch was made.
"""

import json
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.reading_inside import memory

BOUNDARY = "a-boundary-of-the-parts"
FORM = "application/x-www-form-urlencoded"
TOKEN = "t" * 32
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
SMALL = "手机号,面值\n13000000000,50\n"


class Browser:
    """What a clerk's browser sends, from a file and not from memory."""

    def __init__(self) -> None:
        from django.contrib.auth.models import User
        from django.core.wsgi import get_wsgi_application
        from django.test import Client

        from tests.people import sign_in_with_factor

        client = Client()
        sign_in_with_factor(client, User.objects.create_superuser("clerk"))
        self._cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"
        self._portal = get_wsgi_application()
        self.page = ""

    def send(self, method: str, path: str, body: Path | None = None, content_type: str = "") -> tuple[int, str]:
        """Return the status of the answer and where it leads to; its text stays as `page`."""
        answer: dict[str, Any] = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], problem: object = None, /
        ) -> Callable[[bytes], object]:
            answer.update(status=int(status[:3]), location=dict(headers).get("Location", ""))
            return lambda written: None

        with (body or Path(os.devnull)).open("rb") as file:
            response = self._portal(
                {
                    "REQUEST_METHOD": method,
                    "PATH_INFO": path,
                    "SERVER_NAME": "127.0.0.1",
                    "SERVER_PORT": "80",
                    "SERVER_PROTOCOL": "HTTP/1.1",
                    "HTTP_COOKIE": self._cookies,
                    "HTTP_X_CSRFTOKEN": TOKEN,
                    "CONTENT_TYPE": content_type,
                    "CONTENT_LENGTH": str(body.stat().st_size) if body else "0",
                    "wsgi.input": file,
                    "wsgi.url_scheme": "http",
                    "wsgi.errors": sys.stderr,
                },
                start_response,
            )
            self.page = b"".join(response).decode()
            response.close()
        return answer["status"], answer["location"]


def upload(browser: Browser, path: Path) -> str:
    """Upload a list and look at it; return the preview's address."""
    from recharge.batches.services import judging

    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    with tempfile.NamedTemporaryFile() as body, path.open("rb") as file:
        part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
        body.write(part.encode())
        shutil.copyfileobj(file, body)
        body.write(f"\r\n--{BOUNDARY}--\r\n".encode())
        body.flush()
        status, preview = browser.send("POST", "/batches/new/", Path(body.name), multipart)
    assert (status, preview.startswith("/batches/new/")) == (302, True), status
    assert browser.send("GET", preview)[0] == 200
    judging.judge_waiting()  # here, as under `manage.py serve`
    assert browser.send("GET", preview)[0] == 200
    return preview


def make(browser: Browser, preview: str) -> None:
    from recharge.batches.services import assembling

    shown = dict(HIDDEN.findall(browser.page))
    with tempfile.NamedTemporaryFile() as body:
        body.write(urlencode({**shown, "reason": "x"}).encode())
        body.flush()
        status, batch = browser.send("POST", preview, Path(body.name), FORM)
    assert (status, batch.startswith("/batches/")) == (302, True), status
    assembling.ROOM_FOR_OTHERS = 0  # nobody else places anything here
    assembling.assemble_waiting()  # here, as under `manage.py serve`


def main(path: Path) -> None:
    import django

    django.setup()
    logging.disable(logging.ERROR)
    from recharge.models import Batch

    browser = Browser()
    with tempfile.NamedTemporaryFile(suffix=".csv") as small:
        small.write(SMALL.encode())
        small.flush()
        make(browser, upload(browser, Path(small.name)))  # an idle process has done that before
    idle = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forgets what was the highest while starting
    started = time.perf_counter()
    preview = upload(browser, path)
    looked, looking = time.perf_counter() - started, memory("VmHWM") - idle
    make(browser, preview)
    made, making = time.perf_counter() - started - looked, memory("VmHWM") - idle
    rows = Batch.objects.latest("pk").size
    print(json.dumps({"rows": rows, "looking": looking, "making": making, "looked": looked, "made": made}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The portal behind a real nginx as it is shipped: what comes slowly, in pieces, or under other names."""

import datetime as dt
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.signing import Signer

from tests.processes import ROOT, Processes, answers, free_port, wait_for

pytestmark = pytest.mark.servers
SHIPPED = ROOT / "docs" / "deploy" / "nginx.conf"
NAME = "portal.example.com"
PATIENCE = 300
"""Seconds: four processes start one after the other, on a machine that may have other work."""
SECRET_KEY = "q" * 30 + "0123456789abcdefghijklmnopqrstuvwxyz"
ORDER = """
import django; django.setup()
from django.contrib.auth.models import User
from recharge.orders.services import placing
by = User.objects.create_user("clerk")
print(placing.place_mobile_order(placed_by=by, mobile="13800138000", face_value=50).order_no)
"""


@dataclass(frozen=True)
class Site:
    """Where it is, and the number of an order that it has."""

    http: int
    https: int
    order_no: str
    log: Path

    def token(self) -> str:
        return Signer(key=SECRET_KEY, sep=".", salt="recharge.callback").sign(self.order_no)

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.https), timeout=30), server_hostname=NAME
        )

    def send(self, *pieces: bytes, pause: float = 0) -> bytes:
        """Send a request in pieces, and return the answer."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            return answer_on(connection)

    def get(self, path: str, host: str = NAME, **headers: str) -> "Answer":
        said = [f"{name}: {value}" for name, value in headers.items()]
        return Answer.of(self.send(head(path, *said, host=host, method="GET")))


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: Message
    text: str

    @classmethod
    def of(cls, received: bytes) -> "Answer":
        first, _, rest = received.partition(b"\r\n")
        lines, _, body = rest.partition(b"\r\n\r\n")
        return cls(int(first.split(b" ")[1]), BytesParser().parsebytes(lines), body.decode("utf-8", "replace"))


def answer_on(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionResetError, ssl.SSLEOFError):
        while piece := connection.recv(65536):
            received += piece
    return received


def head(path: str, *more: str, host: str = NAME, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *more, "", ""]
    return "\r\n".join(lines).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1)
    )
    (folder / "fullchain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


def configuration(folder: Path, *, http: int, https: int, portal: int) -> str:
    """Return the shipped configuration with ports and places of this test; nothing else of it is changed."""
    text = SHIPPED.read_text()
    for found, put in (
        ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{https} ssl"),
        ("/etc/ssl/portal/", f"{folder}/"),
        ("/var/log/nginx/", f"{folder}/"),
        ("unix:/run/portal/web.sock", f"127.0.0.1:{portal}"),
    ):
        assert found in text, found
        text = text.replace(found, put)
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"daemon off;\npid {folder}/pid;\nerror_log {folder}/start.log;\nevents {{}}\nhttp {{\n{places}{text}\n}}\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    portal, http, https = free_port(), free_port(), free_port()
    processes = Processes(
        {
            "DEBUG": "False",
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": f"https://{NAME}",
            "FIELD_ENCRYPTION_KEYS": "3q2-7wPN1wq3b8xY0oZ1m2n3b4v5c6x7z8a9s0d1f2g=",
            "WIKEYUN_BASE_URL": f"http://127.0.0.1:{free_port()}/rest/",
            "WIKEYUN_APP_KEY": "key",
            "WIKEYUN_APP_SECRET": "secret",
            "WIKEYUN_STORE_ID": "1",
            "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
            "CELERY_BROKER_URL": "memory://",
            "GENERATION_FILE": str(folder / "generation"),
        }
    )
    make_certificate(folder)
    (folder / "nginx.conf").write_text(configuration(folder, http=http, https=https, portal=portal))
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program, "nginx is not installed"
    with ExitStack() as stack:
        stack.callback(processes.end)
        assert processes.start("manage.py", "migrate").wait(timeout=PATIENCE) == 0
        made = subprocess.run(
            [sys.executable, "-c", ORDER],
            cwd=ROOT,
            env=processes.environment,
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
        processes.start("manage.py", "serve", "--port", str(portal))
        wait_for(lambda: answers(f"http://127.0.0.1:{portal}/healthz"), "the portal starts", patience=PATIENCE)
        nginx = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
        stack.callback(nginx.wait, 30)
        stack.callback(nginx.terminate)
        found = Site(http, https, made.stdout.decode().split()[-1], folder / "portal.log")
        wait_for(lambda: nginx.poll() is not None or _listens(https), "nginx listens")
        assert nginx.poll() is None, (folder / "start.log").read_text()
        yield found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_callback_in_chunks_is_read_whole(site: Site) -> None:
    body = f"order_no={site.order_no}&order_number=W1&status=1".encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:9], body[9:30], body[30:]))
    form = "Content-Type: application/x-www-form-urlencoded"
    answer = site.send(head(f"/callback/{site.token()}/", form, "Transfer-Encoding: chunked"), chunks, b"0\r\n\r\n")
    assert (status_of(answer), answer.endswith(b"success")) == (200, True), answer


def test_a_callback_that_drips_is_read_whole(site: Site) -> None:
    body = f"order_no={site.order_no}&order_number=W1&status=1".encode()
    pieces = [body[place : place + 8] for place in range(0, len(body), 8)]
    form = "Content-Type: application/x-www-form-urlencoded"
    answer = site.send(head(f"/callback/{site.token()}/", form, f"Content-Length: {len(body)}"), *pieces, pause=0.1)
    assert (status_of(answer), answer.endswith(b"success")) == (200, True), answer


def test_requests_that_never_end_hold_no_worker(site: Site) -> None:
    """As many as the portal has threads, and more: nginx keeps them until they are whole."""
    with ExitStack() as stack:
        for number in range(40):
            connection = stack.enter_context(site.connect())
            path = "/accounts/login/" if number % 2 else f"/callback/{site.token()}/"
            connection.sendall(head(path, "Content-Length: 1000") + b"order_no=")
        began = time.monotonic()
        assert site.get("/healthz").status == 200
        assert time.monotonic() - began < 20


@pytest.mark.parametrize("how", ["Content-Length: 20000", "Transfer-Encoding: chunked"])
def test_a_callback_that_is_too_long_is_refused(site: Site, how: str) -> None:
    body = b"x" * 20_000
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if "chunked" in how else body
    with site.connect() as connection:
        connection.sendall(head(f"/callback/{site.token()}/", how))
        connection.sendall(body)
        assert status_of(answer_on(connection)) == 413


def test_two_lengths_are_none(site: Site) -> None:
    """What two servers would divide differently is refused."""
    both = head(f"/callback/{site.token()}/", "Content-Length: 6", "Transfer-Encoding: chunked")
    assert status_of(site.send(both, b"0\r\n\r\nX")) == 400
    twice = head(f"/callback/{site.token()}/", "Content-Length: 6", "Content-Length: 7")
    assert status_of(site.send(twice, b"x" * 6)) == 400


@pytest.mark.parametrize("host", ["evil.example", f"{NAME}.evil.example", "evil.example:443", "127.0.0.1.evil.example"])
def test_no_other_name_is_answered(site: Site, host: str) -> None:
    assert site.send(head("/accounts/login/", host=host, method="GET")) == b""


def test_no_handshake_is_made_by_another_name(site: Site) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", site.https), timeout=30) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection, server_hostname="evil.example")


def test_nobody_else_names_the_portal(site: Site) -> None:
    answer = site.get("/orders/", **{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"})
    assert (answer.status, answer.headers["Location"]) == (302, "/accounts/login/?next=/orders/")
    with socket.create_connection(("127.0.0.1", site.http), timeout=30) as plain:
        plain.sendall(head("/orders/", host="evil.example", method="GET"))
        assert f"Location: https://{NAME}/orders/".encode() in answer_on(plain)


def test_headers_are_those_of_https(site: Site) -> None:
    answer = site.get("/orders/")
    assert int(re.findall(r"max-age=(\d+)", answer.headers["Strict-Transport-Security"])[0]) >= 31_536_000
    assert "includeSubDomains" in answer.headers["Strict-Transport-Security"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_figures_are_not_for_the_internet(site: Site, path: str) -> None:
    assert site.get(path, Authorization="Bearer x").status == 404


def test_the_log_holds_no_secret_address_and_no_search(site: Site) -> None:
    paths = [f"/callback/{site.token()}/", "/orders/?q=13800138000"]
    for path, logged in zip(paths, ["/callback/-", "/orders/"], strict=True):
        site.get(path)
        wait_for(lambda logged=logged: logged in site.log.read_text(), "the request is in the log")  # type: ignore[misc]
    text = site.log.read_text()
    assert "13800138000" not in text
    assert site.token() not in text


def test_guessing_passwords_is_slowed_down(site: Site) -> None:
    """Looking at the form is not counted; the page itself needs files that only a build makes."""
    form = head("/accounts/login/", "Content-Length: 10")
    found = [status_of(site.send(form, b"username=a")) for _ in range(25)]
    assert 429 in found
    assert site.get("/accounts/login/").status != 429

"""TLS: before the handshake is done nothing was sent, after it anything may have been."""

import datetime
import ipaddress
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.gateway import GatewayError, NotSent, OutcomeUnknown

from .servers import ACCOUNT, PUSHED, Behaviour, Server, answering, client_for, http, push, reset, serving

LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def certificate(
    folder: Path, name: str, *, alternative: x509.GeneralName = LOOPBACK, ends: datetime.datetime = NOW + DAY
) -> Path:
    """Write a self-signed certificate with its key; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def server_context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for 127.0.0.1 that the client trusts."""
    file = certificate(tmp_path, "trusted")
    monkeypatch.setattr(certifi, "where", lambda: str(file))
    return file


def failure_of(base_url: str) -> type[GatewayError]:
    with pytest.raises((NotSent, OutcomeUnknown)) as caught:
        push(client_for(base_url))
    return type(caught.value)


def test_a_push_goes_out_over_trusted_tls(trusted: Path) -> None:
    with serving(answering(http(PUSHED)), tls=server_context(trusted)) as server:
        assert push(client_for(server.url)).gateway_order_no == "W1"


def test_every_push_gets_a_new_connection_over_tls_too(trusted: Path) -> None:
    with serving(answering(http(ACCOUNT), http(ACCOUNT), http(PUSHED)), tls=server_context(trusted)) as server:
        client = client_for(server.url)
        client.account()
        client.account()
        push(client)
        push(client)
    assert (server.connections, len(server.requests)) == (3, 4)


def test_an_unknown_certificate_is_not_sent(tmp_path: Path) -> None:
    with serving(answering(http(PUSHED)), tls=server_context(certificate(tmp_path, "stranger"))) as server:
        assert failure_of(server.url) is NotSent
    assert server.requests == []


@pytest.mark.parametrize("wrong", [{"alternative": x509.DNSName("other.example")}, {"ends": NOW - DAY}])
def test_a_certificate_for_another_name_or_time_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    file = certificate(tmp_path, "wrong", **wrong)
    monkeypatch.setattr(certifi, "where", lambda: str(file))
    with serving(answering(http(PUSHED)), tls=server_context(file)) as server:
        assert failure_of(server.url) is NotSent
    assert server.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_cannot_make_a_certificate_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    file = certificate(tmp_path, "stranger")
    monkeypatch.setenv(variable, str(file))
    with serving(answering(http(PUSHED)), tls=server_context(file)) as server:
        assert failure_of(server.url) is NotSent


def speak_plain_http(server: Server, connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(http(PUSHED))


def hang_up(server: Server, connection: socket.socket) -> None:
    connection.recv(65536)


def hang_up_rudely(server: Server, connection: socket.socket) -> None:
    reset(connection)


@pytest.mark.parametrize("behave", [speak_plain_http, hang_up, hang_up_rudely])
def test_a_failed_handshake_is_not_sent(behave: Behaviour) -> None:
    with serving(behave) as server:
        assert failure_of(server.url.replace("http:", "https:")) is NotSent


def test_a_server_with_old_tls_only_is_not_sent(trusted: Path) -> None:
    context = server_context(trusted)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(answering(http(PUSHED)), tls=context) as server:
        assert failure_of(server.url) is NotSent


def test_a_tls_error_after_the_handshake_is_outcome_unknown(trusted: Path) -> None:
    def break_the_record(server: Server, connection: socket.socket) -> None:
        server.read_request(connection)
        # Below TLS: a record that cannot be decrypted.
        os.write(connection.fileno(), b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
        server.stopping.wait(5)

    with serving(break_the_record, tls=server_context(trusted)) as server:
        assert failure_of(server.url) is OutcomeUnknown
    assert len(server.requests) == 1


def test_a_server_that_wants_our_certificate_after_the_handshake_is_outcome_unknown(trusted: Path) -> None:
    # In TLS 1.3 the client is done with the handshake, and has sent its request, before the server refuses it.
    context = server_context(trusted)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trusted)
    with serving(answering(http(PUSHED)), tls=context) as server:
        assert failure_of(server.url) is OutcomeUnknown


def test_a_tls_connection_cut_in_the_answer_is_outcome_unknown(trusted: Path) -> None:
    def cut(server: Server, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(http(PUSHED)[:-1])

    with serving(cut, tls=server_context(trusted)) as server:
        assert failure_of(server.url) is OutcomeUnknown

"""The way to the platform: its name, a connection, encryption."""

import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from portal.gateway import reaching
from portal.gateway.reaching import Place
from recharge.platform.choices import Cause, Result, Step

from .findings import Finding, finding

CONNECT_TIMEOUT = 5.0
"""Seconds."""
NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE")
"""What OpenSSL says where something other than TLS answers."""
CERTIFICATE_ENDS_SOON = dt.timedelta(days=14)


def place() -> Place | None:
    """Return where calls go; None where the settings name an address that can't be used."""
    try:
        return Place.of(settings.WIKEYUN_BASE_URL)
    except ValueError:
        return None


def look_at_way(place: Place | None) -> Iterator[Finding]:
    """Yield what is found on the way, as far as it goes: nothing is tried after a step that failed."""
    if place is None:
        yield finding(Step.NAME, Result.FAILED, Cause.ADDRESS_UNUSABLE)
        return
    for look in (_name, _connection, _encryption):
        found = look(place)
        yield found
        if found.result == Result.FAILED:
            return


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its very name; names are not looked up."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def speaks_tls(place: Place) -> bool:
    """Say whether encrypted connections are taken where the settings say that there are none."""
    try:
        reaching.shake_hands(place, timeout=CONNECT_TIMEOUT)
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False
    return True


def _name(place: Place) -> Finding:
    try:
        addresses = reaching.addresses(place)
    except OSError:
        return finding(Step.NAME, Result.FAILED, Cause.NAME_UNKNOWN, host=place.host)
    return finding(Step.NAME, Result.OK, Cause.NAME_FOUND, host=place.host, addresses=", ".join(addresses))


def _connection(place: Place) -> Finding:
    where = {"host": place.host, "port": str(place.port)}
    began = time.monotonic()
    try:
        reaching.connect(place, timeout=CONNECT_TIMEOUT)
    except ConnectionRefusedError:
        return finding(Step.CONNECTION, Result.FAILED, Cause.CONNECTION_REFUSED, **where)
    except OSError:
        return finding(Step.CONNECTION, Result.FAILED, Cause.CONNECTION_SILENT, **where)
    took = round((time.monotonic() - began) * 1000)
    return finding(Step.CONNECTION, Result.OK, Cause.CONNECTED, milliseconds=took, **where)


def _encryption(place: Place) -> Finding:
    if not place.tls:
        if is_loopback(place.host):
            return finding(Step.TLS, Result.OK, Cause.NOT_ENCRYPTED_HERE)
        return finding(Step.TLS, Result.WARNING, Cause.NOT_ENCRYPTED)
    try:
        handshake = reaching.shake_hands(place, timeout=CONNECT_TIMEOUT)
    except ssl.SSLCertVerificationError as error:
        return finding(Step.TLS, Result.FAILED, Cause.CERTIFICATE_WRONG, why=error.verify_message)
    except (ssl.SSLEOFError, ConnectionResetError):
        return finding(Step.TLS, Result.FAILED, Cause.TLS_NOT_SPOKEN)
    except ssl.SSLError as error:
        if error.reason in NO_TLS:
            return finding(Step.TLS, Result.FAILED, Cause.TLS_NOT_SPOKEN)
        return finding(Step.TLS, Result.FAILED, Cause.TLS_FAILED, why=error.reason)
    except OSError:
        return finding(Step.TLS, Result.FAILED, Cause.CONNECTION_SILENT, host=place.host, port=place.port)
    until = f"{timezone.localtime(handshake.expires_at):%Y-%m-%d}"
    if handshake.expires_at - timezone.now() < CERTIFICATE_ENDS_SOON:
        return finding(Step.TLS, Result.WARNING, Cause.CERTIFICATE_ENDS, until=until)
    return finding(Step.TLS, Result.OK, Cause.ENCRYPTED, version=handshake.version, until=until)

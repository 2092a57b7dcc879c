"""Connections are kept for what may be asked twice, and never shared."""

import os
import subprocess
import sys
import threading

import pytest

from portal.gateway import OutcomeUnknown

from .servers import ACCOUNT, PUSHED, answering, answering_then_closing, client_for, http, push, serving


def test_the_library_needs_nothing_of_the_project() -> None:
    code = "import sys, portal.gateway; print([name for name in sys.modules if name[:6] in {'django', 'portal'}])"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "django" not in imported
    assert imported.count("portal") == imported.count("portal.gateway") + 1


def test_questions_share_a_connection() -> None:
    with serving(answering(http(ACCOUNT))) as server:
        client = client_for(server.url)
        for _ in range(3):
            client.account()
    assert (server.connections, len(server.requests)) == (1, 3)


def test_every_push_gets_a_new_connection() -> None:
    with serving(answering(http(ACCOUNT), http(PUSHED))) as server:
        client = client_for(server.url)
        client.account()
        push(client)
        push(client)
    assert (server.connections, len(server.requests)) == (3, 3)


def test_every_call_sends_its_own_body_whatever_was_sent_before() -> None:
    with serving(answering(http(PUSHED))) as server:
        client = client_for(server.url)
        for order_no in ("1", "20211109001", "2"):
            push(client, order_no=order_no)
    bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
    assert [b"order_no=1&" in bodies[0], b"order_no=20211109001&" in bodies[1], b"order_no=2&" in bodies[2]] == [
        True
    ] * 3
    assert len(bodies[0]) == len(bodies[2]) == len(bodies[1]) - 10
    assert all(
        b"Content-Length: %d\r\n" % len(body) in sent for sent, body in zip(server.requests, bodies, strict=True)
    )


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    with serving(answering_then_closing(http(ACCOUNT))) as server:
        client = client_for(server.url)
        client.account()
        # Joined, so that the close has happened and not only will.
        server._threads[-1].join(5)
        client.account()
    assert (server.connections, len(server.requests)) == (2, 2)


def test_an_answer_to_an_earlier_question_is_not_taken_for_this_one() -> None:
    late = http({"code": "0000", "data": {"order_number": "of another order"}})
    with serving(answering(http(ACCOUNT) + late, http(PUSHED))) as server:
        client = client_for(server.url)
        client.account()
        assert push(client).gateway_order_no == "W1"


def test_a_connection_with_an_unfinished_answer_is_not_used_again() -> None:
    with serving(answering(http(b"x" * 70_000), http(ACCOUNT))) as server:
        client = client_for(server.url)
        with pytest.raises(OutcomeUnknown):
            client.account()
        assert client.account().balance == 1
    assert server.connections == 2


def test_every_thread_has_its_own_connection() -> None:
    with serving(answering(http(ACCOUNT))) as server:
        client = client_for(server.url)
        together = threading.Barrier(4)

        def ask_twice() -> None:
            client.account()
            together.wait(5)
            client.account()

        threads = [threading.Thread(target=ask_twice) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert (server.connections, len(server.requests)) == (4, 8)


def test_a_session_that_was_closed_connects_anew() -> None:
    with serving(answering(http(ACCOUNT))) as server:
        client = client_for(server.url)
        client.account()
        client._transport._session().close()
        client.account()
    assert (server.connections, len(server.requests)) == (2, 2)


def test_another_process_does_not_inherit_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(http(ACCOUNT))) as server:
        client = client_for(server.url)
        client.account()
        monkeypatch.setattr(os, "getpid", lambda: -1)
        client.account()
    assert server.connections == 2


def test_cookies_are_not_sent_back() -> None:
    with serving(answering(http(ACCOUNT, headers="Set-Cookie: a=b; Path=/\r\n"))) as server:
        client = client_for(server.url)
        client.account()
        client.account()
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_a_redirect_is_not_followed() -> None:
    with serving(answering(http(PUSHED))) as elsewhere:
        redirect = http(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}\r\n")
        with serving(answering(redirect)) as server, pytest.raises(OutcomeUnknown, match="307"):
            push(client_for(server.url))
    assert elsewhere.connections == 0


def test_a_closed_client_connects_anew() -> None:
    with serving(answering(http(ACCOUNT), http(ACCOUNT))) as server:
        client = client_for(server.url)
        client.account()
        client.close()
        client.close()
        client.account()
    assert (server.connections, len(server.requests)) == (2, 2)

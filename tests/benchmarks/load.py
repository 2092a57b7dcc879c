"""A load generator in a process of its own: `python -m tests.benchmarks.load PORT CONNECTIONS < requests`.

Reads one request a line, "PATH BODY", sends them over keep-alive connections, each of which has one request under way,
and prints the seconds that took. Every answer must be a 200 with the body `success`.
"""

import socket
import sys
import threading
import time


def main() -> None:
    port, connections = int(sys.argv[1]), int(sys.argv[2])
    requests = [_request(*line.split()) for line in sys.stdin]
    begin = threading.Barrier(connections + 1)
    failures: list[str] = []
    threads = [
        threading.Thread(target=_send_all, args=(port, requests[number::connections], begin, failures))
        for number in range(connections)
    ]
    for thread in threads:
        thread.start()
    begin.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        sys.exit(f"{len(failures)} connections failed; the first got {failures[0]}")
    print(seconds)


def _request(path: str, body: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nUser-Agent: load\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _send_all(port: int, requests: list[bytes], begin: threading.Barrier, failures: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin.wait()
        try:
            for request in requests:
                _send(connection, request)
        except OSError as error:
            failures.append(repr(error))


def _send(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n\r\nsuccess"):
        piece = connection.recv(65536)
        answer += piece
        if not piece or not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(f"answered {answer[:300]!r}")


if __name__ == "__main__":
    main()

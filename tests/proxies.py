"""A TCP proxy that tests put before a server, to make it hang the way that frozen processes and lost packets do."""

import contextlib
import select
import socket
import threading
from types import TracebackType


class Proxy:
    """Forwards connections to a port of this machine, until it is frozen: then it takes all and gives nothing.

    New connections are accepted by the kernel even then, as those of a stopped process are.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: list[socket.socket] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._over = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._flowing.set()
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.close()

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._over:
                taken, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[taken], daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        self._flowing.wait()
        with contextlib.suppress(OSError), taken, socket.create_connection(("127.0.0.1", self._target)) as server:
            self._open += [taken, server]
            while not self._over:
                readable, _, _ = select.select([taken, server], [], [], 1)
                self._flowing.wait()
                for one in readable:
                    data = one.recv(65536)
                    if not data:
                        return
                    (server if one is taken else taken).sendall(data)

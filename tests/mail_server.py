"""A mail server for tests, on loopback: it keeps the mails, and can refuse the first ones (RFC 5321)."""

import socketserver
import ssl
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self


class MailServer:
    """Refuse the first mails, then accept them. `on_taken` runs between keeping a mail and the reply.

    With `tls`, connections are encrypted from the first byte, or else after STARTTLS (RFC 3207).
    """

    def __init__(
        self,
        *,
        refuse: int = 0,
        on_taken: Callable[[], None] = lambda: None,
        tls: ssl.SSLContext | None = None,
        starts_with_tls: bool = False,
    ) -> None:
        self.letters: list[str] = []
        self.recipients: list[str] = []
        self.refused = 0
        self.refuse, self.on_taken, self.tls, self.starts_with_tls = refuse, on_taken, tls, starts_with_tls
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(_Session, self))
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that died

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Session(socketserver.StreamRequestHandler):
    def __init__(self, keeper: MailServer, *of_server: Any) -> None:
        self.keeper = keeper
        super().__init__(*of_server)

    def handle(self) -> None:
        if self.keeper.starts_with_tls:
            self.encrypt()
        self.say("220 loopback")
        while line := self.rfile.readline().decode().strip():
            command = line.upper()
            if command.startswith("QUIT"):
                return
            if command.startswith("EHLO") and self.keeper.tls and not isinstance(self.request, ssl.SSLSocket):
                self.say("250-loopback\r\n250 STARTTLS")
            elif command == "STARTTLS":
                self.say("220 go on")
                self.encrypt()
            elif command.startswith("MAIL") and self.keeper.refused < self.keeper.refuse:
                self.keeper.refused += 1
                self.say("451 try again later")
            elif command.startswith("RCPT"):
                self.keeper.recipients.append(line[len("RCPT TO:") :])
                self.say("250 fine")
            elif command == "DATA":
                self.take()
            else:
                self.say("250 fine")

    def encrypt(self) -> None:
        assert self.keeper.tls
        self.request = self.keeper.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def finish(self) -> None:
        super().finish()
        # The server closes only what it has accepted.
        self.request.close()

    def take(self) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line)
        self.keeper.letters.append("".join(lines))
        self.keeper.on_taken()
        self.say("250 taken")

    def say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())

"""A mail server for tests, on loopback: it keeps the mails, and can refuse the first ones (RFC 5321)."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


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
        keeper = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if starts_with_tls:
                    self.encrypt()
                self.say("220 loopback")
                while line := self.rfile.readline().decode().strip():
                    command = line.upper()
                    if command.startswith("QUIT"):
                        return
                    if command.startswith("EHLO") and tls and not isinstance(self.request, ssl.SSLSocket):
                        self.say("250-loopback\r\n250 STARTTLS")
                    elif command == "STARTTLS":
                        self.say("220 go on")
                        self.encrypt()
                    elif command.startswith("MAIL") and keeper.refused < refuse:
                        keeper.refused += 1
                        self.say("451 try again later")
                    elif command.startswith("RCPT"):
                        keeper.recipients.append(line[len("RCPT TO:") :])
                        self.say("250 fine")
                    elif command == "DATA":
                        self.take()
                    else:
                        self.say("250 fine")

            def finish(self) -> None:
                super().finish()
                # The server closes only what it has accepted.
                self.request.close()

            def encrypt(self) -> None:
                assert tls
                self.request: socket.socket = tls.wrap_socket(self.request, server_side=True)
                self.setup()

            def take(self) -> None:
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
                    lines.append(line)
                keeper.letters.append("".join(lines))
                on_taken()
                self.say("250 taken")

            def say(self, answer: str) -> None:
                self.wfile.write(f"{answer}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
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

"""A mail server on loopback that behaves in one of the ways in which real ones do."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it was handed (`received`) and what it promised to deliver (`taken`)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, behaviour: str) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.behaviour = behaviour
        self.received: list[bytes] = []
        self.taken: list[bytes] = []
        self.is_over = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.converse()

    def converse(self) -> None:
        behaviour = self.server.behaviour
        if behaviour == "silent":
            self.server.is_over.wait(30)
            return
        self.say("220 ready")
        for raw in self.rfile:
            verb = raw.split(b" ")[0].strip().upper()
            if verb == b"RCPT" and behaviour in {"451 recipient", "550 recipient"}:
                self.say(behaviour)
            elif verb == b"MAIL" and behaviour == "dies early":
                return
            elif verb == b"DATA":
                self.say("354 go on")
                if not self.body():
                    return
            elif verb == b"QUIT":
                if behaviour == "dies at quit":
                    return
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def body(self) -> bool:
        """Read the text and answer as the behaviour has it; False when the connection is to be dropped."""
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw)
        self.server.received.append(b"".join(lines))
        behaviour = self.server.behaviour
        if behaviour == "dies after data":
            return False
        if behaviour == "silent after data":
            self.server.is_over.wait(30)
            return False
        if behaviour in {"451 data", "554 data"}:
            self.say(behaviour)
            return True
        self.server.taken.append(self.server.received[-1])
        self.say("250 taken")
        return True


@contextlib.contextmanager
def mail_server(behaviour: str = "fine") -> Iterator[MailServer]:
    """A running server; change its `behaviour` between two mails."""
    with MailServer(behaviour) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()

"""An OpenID Connect server on this machine: says of everybody what the test tells it to."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

CLIENT = {"client_id": "broadsheet", "secret": "a secret of at least thirty-two bytes"}


class LoginServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.person: dict[str, Any] = {"sub": "1", "name": "Alice Arden"}
        self.asked: list[str] = []
        self.is_down: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    server: LoginServer

    def do_GET(self) -> None:
        url, asked = self.server.url, urlsplit(self.path)
        self.server.asked.append(asked.path)
        if asked.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/authorize",
                    "token_endpoint": f"{url}/token",
                    "userinfo_endpoint": f"{url}/userinfo",
                    "jwks_uri": f"{url}/jwks",
                    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                }
            )
        elif asked.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            assert query["client_id"] == CLIENT["client_id"]
            assert query["code_challenge_method"] == "S256"
            back = f"{query['redirect_uri']}?{urlencode({'code': 'once', 'state': query['state']})}"
            self.send_response(302)
            self.send_header("Location", back)
            self.end_headers()
        elif asked.path == "/userinfo":
            assert self.headers["Authorization"] == "Bearer token"
            self.answer(self.server.person)

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        given = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        assert given.split(":")[0] == CLIENT["client_id"]
        assert body["code"] == ["once"]
        assert body["code_verifier"]
        claims = {
            "iss": self.server.url,
            "aud": CLIENT["client_id"],
            "exp": time.time() + 60,
            "iat": time.time(),
        }
        token = jwt.encode({**self.server.person, **claims}, CLIENT["secret"], algorithm="HS256")
        self.answer({"access_token": "token", "token_type": "Bearer", "id_token": token})

    def answer(self, body: dict[str, Any]) -> None:
        self.send_response(503 if urlsplit(self.path).path in self.server.is_down else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_said: object) -> None:
        """Silent."""


@contextmanager
def running_login_server() -> Iterator[LoginServer]:
    server = LoginServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

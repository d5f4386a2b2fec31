"""EDGE: the simulated model's HTTP server, on loopback only. Standard library, one thread a connection."""

import contextlib
import datetime as dt
import json
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scoring import tokens

from . import brain, fair, noise
from .accounts import Bill, PrefixCache, RateLimit
from .brain import Labels
from .fair import Asked
from .faults import Fault, FaultPlan
from .noise import Noise
from .personalities import BROKEN, PERSONALITIES, Speech

LOOPBACK = "127.0.0.1"
SLOW_SECONDS = 5.0
BODY_BYTES = 8_000_000
# What a request gets beside as many as are taken at once.
BUSY = Fault(status=429, headers={"Retry-After": "1"})


@dataclass
class Settings:
    """How the simulated model behaves; as it stands, honest, at once, and the same answer to the same question.

    `refuses` names parameters and formats that get a 400. `latency_seconds` is the median; the logarithm of the
    wait has `latency_spread` as its standard deviation. `noise` lets readings differ as those of a real model do.
    `broken` are the shares of answers that are truncated, garbled or miss rows; they depend on what is asked and
    how often, so that a run can be repeated.
    """

    personality: str = "honest"
    latency_seconds: float = 0.0
    latency_spread: float = 0.0
    requests_per_minute: int = 0
    calls_at_once: int = 0
    tokens_per_minute: int = 0
    cache_seconds: float = 0.0
    reasoning_per_paper: int = 0
    refuses: tuple[str, ...] = ()
    api_key: str = ""
    context_tokens: int = 0
    labels: Labels | None = None
    seed: int = 0
    noise: Noise | None = None
    broken: Mapping[str, float] = field(default_factory=dict)
    faults: FaultPlan = field(default_factory=FaultPlan)


class SimulatedModel:
    """The server with its bill. Port 0 takes a free one; `stop` ends it, also its black holes."""

    def __init__(self, settings: Settings | None = None, *, port: int = 0, bill: Path | None = None) -> None:
        self.settings = settings or Settings()
        self.bill = Bill(bill)
        self.requests: list[dict[str, Any]] = []
        self.stopping = threading.Event()
        self._cache = PrefixCache(keeps_seconds=self.settings.cache_seconds)
        self._rate = RateLimit(self.settings.requests_per_minute, self.settings.tokens_per_minute)
        self._asked = Asked()
        self._in_flight, self._counting = 0, threading.Lock()
        self._server = _Server((LOOPBACK, port), _Handler)
        self._server.model = self
        self.keeps_requests = True

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/v1"

    def serve_forever(self) -> None:
        """Blocks; a KeyboardInterrupt ends it."""
        self._server.serve_forever(poll_interval=0.1)

    def start(self) -> "SimulatedModel":
        threading.Thread(target=self.serve_forever, daemon=True, name="simulated-model").start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    # --- answering ---------------------------------------------------------------------------------

    def refusal_of(self, request: dict[str, Any], authorization: str) -> Fault | None:
        """Why the request is not even read, if so."""
        if self.settings.api_key and authorization != f"Bearer {self.settings.api_key}":
            return _error(401, "Incorrect API key provided", code="invalid_api_key")
        wait = self._rate.seconds_to_wait(input_tokens_of(request) if self._rate.counts_tokens else 0)
        if wait:
            return Fault(status=429, headers={"Retry-After": str(wait)})
        wanted = request.get("response_format")
        asked = wanted.get("type") if isinstance(wanted, dict) else None
        for name in self.settings.refuses:
            if name in request or name == asked:
                param = "response_format" if name == asked else name
                return _error(400, f"Unsupported parameter: '{name}'", param=param)
        return None

    @contextlib.contextmanager
    def taken_in(self) -> Iterator[bool]:
        """Whether one request more is taken beside those in work, for as long as the block runs."""
        with self._counting:
            is_taken = not self.settings.calls_at_once or self._in_flight < self.settings.calls_at_once
            self._in_flight += is_taken
        try:
            yield is_taken
        finally:
            with self._counting:
                self._in_flight -= is_taken

    def completion_of(self, request: dict[str, Any], authorization: str = "") -> dict[str, Any]:
        """The whole answer, with the usage that is billed."""
        system, user = _messages_of(request)
        speech, papers = self._speech_about(system, user)
        read = input_tokens_of(request)
        reasoning = self.settings.reasoning_per_paper * papers
        cap = request.get("max_completion_tokens") or request.get("max_tokens") or 10**9
        speech, written = _within(cap, speech, reasoning)
        self._rate.add_written(written)
        # A prefix is shared by those who have one key, on one model, under one cache key.
        scope = f"{authorization}/{request.get('model', '')}/{request.get('prompt_cache_key', '')}"
        usage = {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {
                "cached_tokens": self._cache.cached_tokens(_schema_of(request) + system + user, read, scope)
            },
            "completion_tokens_details": {"reasoning_tokens": min(reasoning, written)},
        }
        message = {"role": "assistant", "content": speech.text, "refusal": speech.refusal}
        return {
            "id": f"simulated-{time.monotonic_ns()}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": f"simulated/{request.get('model', '')}",
            "choices": [{"index": 0, "message": message, "finish_reason": speech.finish_reason}],
            "usage": usage,
        }

    def _speech_about(self, system: str, user: str) -> tuple[Speech, int]:
        translated = brain.translations(system, user)
        if translated is not None:
            return Speech(translated), 0
        suggested = brain.suggestion(system, user)
        if suggested is not None:
            return Speech(suggested), 1
        told_why = brain.explanation(system, user)
        if told_why is not None:
            return Speech(told_why), 1
        prompt = brain.understand(system, user)
        told = self.settings
        question = self._asked.question(prompt)
        if told.noise is None:
            given = brain.opinions(prompt, labels=told.labels, seed=told.seed)
        else:
            given = fair.opinions(prompt, question, labels=told.labels, seed=told.seed, noise=told.noise)
        broken = fair.fate(f"{told.seed}/{question.block}/broken", told.broken)
        speak = BROKEN[broken] if broken else PERSONALITIES[told.personality]
        return speak(given, prompt), len(given)

    def seconds_of(self, request: dict[str, Any]) -> float:
        """How long this answer takes; the same for the same words, whoever else is served."""
        slow = SLOW_SECONDS if self.settings.personality == "slow" else 0.0
        spread = self.settings.latency_spread
        if not spread:
            return self.settings.latency_seconds + slow
        key = f"{self.settings.seed}/{''.join(_messages_of(request))}"
        return slow + self.settings.latency_seconds * math.exp(spread * noise.draw(key))

    def note(self, request: dict[str, Any], headers: Any, status: int, usage: Any) -> None:
        """One line on the bill."""
        self.bill.add(
            {
                "at": dt.datetime.now(dt.UTC).isoformat(),
                "request_id": headers.get("Idempotency-Key", ""),
                "payer": request.get("safety_identifier", ""),
                "cache_key": request.get("prompt_cache_key", ""),
                "model": request.get("model", ""),
                "status": status,
                "usage": usage,
            }
        )

    def too_long(self, usage: dict[str, Any]) -> bool:
        return 0 < self.settings.context_tokens < usage["prompt_tokens"]


def input_tokens_of(request: dict[str, Any]) -> int:
    system, user = _messages_of(request)
    texts = (_schema_of(request), system, user)
    return sum(map(tokens.estimate, texts)) + 2 * tokens.PER_MESSAGE + tokens.PER_ANSWER


def _schema_of(request: dict[str, Any]) -> str:
    return json.dumps(request.get("response_format", {}), separators=(",", ":"))


def _messages_of(request: dict[str, Any]) -> tuple[str, str]:
    said = {str(m.get("role")): str(m.get("content", "")) for m in request.get("messages", [])}
    return said.get("system", ""), said.get("user", "")


def _within(cap: int, speech: Speech, reasoning: int) -> tuple[Speech, int]:
    """The speech cut to the cap, thinking first, and the tokens written."""
    wanted = reasoning + max(1, tokens.estimate(speech.text))
    if wanted <= cap:
        return speech, wanted
    if reasoning >= cap:
        return Speech("", finish_reason="length"), cap
    share = (cap - reasoning) / (wanted - reasoning)
    return Speech(speech.text[: int(len(speech.text) * share)], finish_reason="length"), cap


def _error(status: int, message: str, *, param: str = "", code: str = "") -> Fault:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
    return Fault(status=status, body=json.dumps(body))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    model: SimulatedModel

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: the bill is the log."""

    def do_GET(self) -> None:
        if self.path.rstrip("/").endswith("/models"):
            models = {
                "object": "list",
                "data": [{"id": "simulated", "object": "model", "owned_by": "broadsheet"}],
            }
            self._send(200, json.dumps(models).encode())
        else:
            self._send(404, b'{"error": {"message": "there is only /v1/chat/completions"}}')

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not self.path.rstrip("/").endswith("/chat/completions") or length > BODY_BYTES:
            self._send(404, b'{"error": {"message": "there is only /v1/chat/completions"}}')
            return
        try:
            request = json.loads(self.rfile.read(length))
        except ValueError:
            self._send(400, b'{"error": {"message": "the body is not JSON"}}')
            return
        model = self.server.model
        if model.keeps_requests:
            model.requests.append(request)
        self._answer(model, request)

    def _answer(self, model: SimulatedModel, request: dict[str, Any]) -> None:
        with model.taken_in() as is_taken:
            if is_taken:
                self._answer_one(model, request)
                return
        model.note(request, self.headers, 429, None)
        self._send(429, BUSY.body.encode(), BUSY.headers)

    def _answer_one(self, model: SimulatedModel, request: dict[str, Any]) -> None:
        authorization = self.headers.get("Authorization", "")
        fault = model.refusal_of(request, authorization) or model.settings.faults.next()
        if fault is not None and fault.status:
            model.note(request, self.headers, fault.status, None)
            self._send(fault.status, fault.body.encode(), fault.headers)
            return
        completion = model.completion_of(request, authorization)
        usage = completion["usage"]
        if model.too_long(usage):
            model.note(request, self.headers, 400, None)
            error = _error(400, "maximum context length exceeded", code="context_length_exceeded")
            self._send(400, error.body.encode())
            return
        model.note(request, self.headers, 200, usage)
        model.stopping.wait(model.seconds_of(request))
        self._deliver(completion, fault)

    def _deliver(self, completion: dict[str, Any], fault: Fault | None) -> None:
        if fault is None:
            self._send(200, json.dumps(completion, ensure_ascii=False).encode())
            return
        if fault.black_hole:
            self.server.model.stopping.wait(3600)
            self.close_connection = True
            return
        if fault.replaces_usage:
            completion["usage"] = fault.usage
        text = fault.raw if fault.raw is not None else json.dumps(completion, ensure_ascii=False)
        if fault.drip_seconds:
            self._drip(text.encode(), fault.drip_seconds)
        elif fault.cut_after:
            self._cut(text.encode(), fault.cut_after)
        else:
            self._send(200, text.encode(), fault.headers)

    def _send(self, status: int, body: bytes, headers: Any = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, body: bytes, seconds: float) -> None:
        """A byte, a pause, a byte: lively under any read timeout."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server.model.stopping.wait(seconds):
                    return

    def _cut(self, body: bytes, after: int) -> None:
        """Promises the whole body, sends a part and hangs up."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:after])
        self.close_connection = True


@contextlib.contextmanager
def running(
    settings: Settings | None = None, *, faults: Iterable[Fault | None] = ()
) -> Iterator[SimulatedModel]:
    """A simulated model on a free port, for as long as the block runs."""
    model = SimulatedModel(settings)
    model.settings.faults.add(*faults)
    model.start()
    try:
        yield model
    finally:
        model.stop()

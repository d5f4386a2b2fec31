"""EDGE: one call to an OpenAI-compatible server. Imports no model and writes no row.

The verb loads an `Endpoint` and stores what was learned (`Answer.abilities`). There are no retries here:
each attempt has a hold of its own, for a call that timed out may be billed. Only a 400 or 422 that names
what it does not know is answered by asking differently within the same call, since nothing was billed.
"""

import contextlib
import datetime as dt
import email.utils
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import openai

from scoring.addresses import AddressPolicy
from scoring.endpoint import Endpoint
from scoring.guarded_transport import (
    AddressRefused,
    BodyTooLarge,
    DeadlinePassed,
    guarded_client,
    limits,
)
from scoring.ladder import Abilities, StepDown, cap_of, named_refusal, request_body, with_room_to_think
from scoring.rubric import Prompt
from scoring.usage import Usage, from_response

LADDER_STEPS = 8


# --- errors ----------------------------------------------------------------------------------------


class LlmError(Exception):
    """A call that brought no answer. `code` is a stable word for rows and screens; the text holds no secret.

    `may_be_billed`: the request was sent and its fate is unknown, so its hold is booked as assumed.
    """

    code = "error"
    may_be_billed = False


class LlmUnavailable(LlmError):
    """Later. `retry_after` is in seconds, when the server named a time."""

    def __init__(
        self, code: str, message: str, *, retry_after: float | None = None, may_be_billed: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.retry_after, self.may_be_billed = code, retry_after, may_be_billed


class LlmAnswered(LlmError):
    """The server answered, at a cost, and the answer is of no use. It carries its usage, None where unusable."""

    def __init__(self, message: str, usage: Usage | None) -> None:
        super().__init__(message)
        self.usage = usage


class LlmGarbled(LlmAnswered):
    """No chat completion, or one without text."""

    code = "garbled"


class LlmRefused(LlmAnswered):
    """The model or a content filter in front of it declined."""

    code = "refused"


class LlmRejected(LlmError):
    """The request itself was not accepted (400, 422): these papers, perhaps, not the server."""

    code = "rejected"


class LlmFiltered(LlmRejected):
    """A content filter declined before the model read it; nothing was billed."""

    code = "refused"


class LlmTooLong(LlmRejected):
    """More than the model's context: halve."""

    code = "too_long"


class LlmMisconfigured(LlmError):
    """No call will succeed until somebody acts: a wrong key, model or address, an empty account."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# --- what is asked and what is learned -------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What came back. `abilities` is what the verb should remember; `served_by` the model's own name."""

    text: str
    usage: Usage | None
    finish_reason: str
    latency_ms: int
    abilities: Abilities
    cap_tokens: int
    served_by: str = ""
    rungs_tried: int = 1

    @property
    def is_cut(self) -> bool:
        return self.finish_reason == "length"


def judge(prompt: Prompt, endpoint: Endpoint, *, request_id: str = "", payer: str = "") -> Answer:
    """Ask once. `request_id` is the hold's key and goes along as a header; `payer` is an opaque key.

    Slow: no transaction may be open here. Raises an LlmError; nothing of ours holds after that but time.
    """
    started = time.monotonic()
    with limits(total_seconds=endpoint.total_seconds):
        abilities = endpoint.abilities
        for rung in range(1, LADDER_STEPS + 1):
            try:
                request = request_body(
                    prompt, endpoint.model, abilities, extra_params=endpoint.extra_params, payer=payer
                )
                body = _post(request, endpoint, request_id)
            except StepDown as refusal:
                abilities = refusal.abilities_below(abilities)
                continue
            answer = _answer(body, prompt, abilities, rung)
            return replace(answer, latency_ms=round(1000 * (time.monotonic() - started)))
    raise LlmRejected("the server refuses every form of the request")


# --- the wire --------------------------------------------------------------------------------------


def _post(request: dict[str, Any], endpoint: Endpoint, request_id: str) -> bytes:
    """The raw body of a 200; every other fate is an error of this module's tree."""
    client = _client(endpoint)
    headers = {"Idempotency-Key": request_id} if request_id else {}
    try:
        response = client.chat.completions.with_raw_response.create(
            model=request["model"],
            messages=request["messages"],
            extra_body={name: value for name, value in request.items() if name not in {"model", "messages"}},
            extra_headers=headers,
            timeout=client.timeout,
        )
    except openai.APIStatusError as error:
        raise _from_status(error, request) from error
    except openai.APIConnectionError as error:
        raise _from_connection(error) from error
    return response.http_response.content


def _from_connection(error: openai.APIConnectionError) -> LlmError:
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    if any(isinstance(cause, AddressRefused) for cause in causes):
        return LlmMisconfigured("address_refused", "the server's address is not allowed here")
    if any(isinstance(cause, BodyTooLarge) for cause in causes):
        return LlmGarbled("the answer is longer than any answer may be", None)
    if any(isinstance(cause, DeadlinePassed) for cause in causes):
        return LlmUnavailable("deadline", "no whole answer within the deadline", may_be_billed=True)
    if names & {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"}:
        return LlmUnavailable("connection", "the server cannot be reached")
    code = "timeout" if isinstance(error, openai.APITimeoutError) else "connection_lost"
    return LlmUnavailable(code, "the answer never arrived", may_be_billed=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


_CONTEXT_WORDS = (
    "context_length",
    "context length",
    "maximum context",
    "too many tokens",
    "prompt is too long",
)
_FILTER_WORDS = (
    "content_filter",
    "content_policy",
    "content management policy",
    "data_inspection",
    "moderation",
)
_QUOTA_WORDS = ("insufficient_quota", "insufficient balance", "exceeded your current quota", "billing")


def _from_status(error: openai.APIStatusError, request: Mapping[str, Any]) -> LlmError | StepDown:
    status = error.status_code
    code, param, message = _said(error)
    words = f"{code} {message}".lower()
    if status in {400, 413, 422}:
        return _from_refusal(status, param, words, request)
    if status == 402 or (status in {403, 429} and any(word in words for word in _QUOTA_WORDS)):
        return LlmMisconfigured("quota", "the provider's account is empty")
    if status == 401:
        return LlmMisconfigured("unauthorized", "the provider does not accept the key")
    if 300 <= status < 400:
        return LlmMisconfigured("redirected", f"the provider answered {status}: no redirect is followed")
    if status in {403, 404, 405, 410}:
        name = {403: "forbidden", 404: "not_found"}.get(status, "wrong_address")
        return LlmMisconfigured(name, f"the provider answered {status}")
    if status == 429:
        wait = retry_after_seconds(error.response.headers.get("retry-after"), dt.datetime.now(dt.UTC))
        return LlmUnavailable("rate_limited", "the provider asks to wait", retry_after=wait)
    wait = retry_after_seconds(error.response.headers.get("retry-after"), dt.datetime.now(dt.UTC))
    # A gateway that gave up says nothing of what the server behind it did.
    unknown_fate = status in {408, 502, 504}
    return LlmUnavailable(
        "server_error", f"the provider answered {status}", retry_after=wait, may_be_billed=unknown_fate
    )


def _from_refusal(status: int, param: str, words: str, request: Mapping[str, Any]) -> LlmError | StepDown:
    if status == 413 or any(word in words for word in _CONTEXT_WORDS):
        return LlmTooLong("the request is longer than the model's context")
    if any(word in words for word in _FILTER_WORDS):
        return LlmFiltered("a content filter declined the request")
    named = named_refusal(request, param, words)
    if named is not None:
        return StepDown(named)
    return LlmRejected(f"the provider answered {status}")


def _said(error: openai.APIStatusError) -> tuple[str, str, str]:
    """Code, parameter and message of an error's body, each as a short text."""
    body: Any = error.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    if not isinstance(body, dict):
        return "", "", str(body)[:2000]
    code, param = str(body.get("code") or body.get("type") or ""), str(body.get("param") or "")
    return code[:100], param[:100], json.dumps(body, ensure_ascii=False)[:2000]


def retry_after_seconds(header: str | None, now: dt.datetime) -> float | None:
    """Seconds from a Retry-After of seconds or a date; None when absent or nonsense."""
    if header is None:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(header.strip())
        return seconds if 0 <= seconds < 10**6 else None
    with contextlib.suppress(ValueError, TypeError):
        at = email.utils.parsedate_to_datetime(header.strip())
        at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
        return max(0.0, (at - now).total_seconds())
    return None


# --- the answer ------------------------------------------------------------------------------------


def _answer(body: bytes, prompt: Prompt, abilities: Abilities, rung: int) -> Answer:
    cap = cap_of(prompt, abilities)
    try:
        completion = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LlmGarbled("the answer is not JSON", None) from error
    completion = completion if isinstance(completion, dict) else {}
    used = from_response(completion.get("usage"))
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    text, finish = message.get("content"), str(choice.get("finish_reason") or "")
    if finish == "content_filter" or message.get("refusal"):
        raise LlmRefused("the model declined", used)
    if finish == "length" and used is not None and used.reasoning_tokens:
        abilities = with_room_to_think(abilities, used.reasoning_tokens, len(prompt.labels))
        text = text or ""
    if not isinstance(text, str):
        raise LlmGarbled("the answer has no text", used)
    return Answer(
        text=_whole(text),
        usage=used,
        finish_reason=finish,
        latency_ms=0,
        abilities=abilities,
        cap_tokens=cap,
        served_by=_whole(str(completion.get("model") or "")[:100]),
        rungs_tried=rung,
    )


def _whole(text: str) -> str:
    """Without half characters: JSON's escapes can spell a lone surrogate, which no encoding and no row takes."""
    return text.encode("utf-8", "replace").decode()


# --- clients ---------------------------------------------------------------------------------------

MOST_CLIENTS = 32
_clients: "OrderedDict[tuple[str, str, AddressPolicy, float], openai.OpenAI]" = OrderedDict()
_clients_lock = threading.Lock()


def _client(endpoint: Endpoint) -> openai.OpenAI:
    """One client an endpoint, kept with its connections: making one costs more than a call."""
    key = (endpoint.base_url, endpoint.api_key, endpoint.policy, endpoint.read_seconds)
    with _clients_lock:
        client = _clients.pop(key, None) or openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key or "none",
            max_retries=0,
            organization=None,
            project=None,
            http_client=guarded_client(endpoint.policy, read_seconds=endpoint.read_seconds),
        )
        _clients[key] = client
        if len(_clients) > MOST_CLIENTS:
            # Not closed: another thread may still be reading from it.
            _clients.popitem(last=False)
        return client

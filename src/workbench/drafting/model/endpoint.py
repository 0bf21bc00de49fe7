"""A language model's endpoint: any server that speaks OpenAI's chat completions, asked for text and nothing else.

Settings come from the environment, never from a params file; the key is in no record, message or `repr`. A question
has one deadline for everything, answers have a largest size, and nothing follows a redirect.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workbench.errors import EndpointError, MissingToolError, ParameterError

if TYPE_CHECKING:
    import httpx

#: Bytes of an answer; more is not a page of prose.
LARGEST = 1_000_000
#: Answers that may be better the next time, and how often a question is asked at most.
TRANSIENT, TRIES = frozenset({408, 429, 500, 502, 503, 504}), 3
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Message = Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """Where a model is asked, and how: `timeout` seconds in all, retries among them; `max_tokens` of an answer.

    Raises `ParameterError` for an address that is not HTTPS (plain HTTP only on this machine), names a user, or has a
    query, and for a time or length that is not above zero.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    max_tokens: int = 2_000

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if (
            not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
            or not (parts.scheme == "https" or plain)
        ):
            raise ParameterError(
                "the model's address must be https://HOST/PATH, without user or query", "WORKBENCH_LLM_URL"
            )
        if not self.model.strip():
            raise ParameterError("name the model to ask", "WORKBENCH_LLM_MODEL")
        if not (self.timeout > 0 and self.max_tokens > 0):
            raise ParameterError("the time and length of an answer must be above zero", "WORKBENCH_LLM_TIMEOUT")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Endpoint | None:
        """Read WORKBENCH_LLM_URL, _MODEL, _KEY, _TIMEOUT (seconds) and _MAX_TOKENS; None where no address is set.

        Raises `ParameterError` as the class does, and for a number that is not one.
        """
        url = environment.get("WORKBENCH_LLM_URL", "").strip()
        if not url:
            return None
        try:
            timeout = float(environment.get("WORKBENCH_LLM_TIMEOUT", "60"))
            most = int(environment.get("WORKBENCH_LLM_MAX_TOKENS", "2000"))
        except ValueError as error:
            raise ParameterError(
                "WORKBENCH_LLM_TIMEOUT and _MAX_TOKENS are numbers", "WORKBENCH_LLM_TIMEOUT"
            ) from error
        return cls(
            url, environment.get("WORKBENCH_LLM_MODEL", ""), environment.get("WORKBENCH_LLM_KEY", ""), timeout, most
        )

    def parameters(self) -> dict[str, Any]:
        """What is asked of the model beside the words; kept in a draft's record."""
        return {
            "model": self.model,
            "temperature": 0,
            "seed": 0,
            "max_tokens": self.max_tokens,
            "n": 1,
            "stream": False,
        }


@dataclass(frozen=True)
class Surroundings:
    """What an answer depends on beside the question: clock, sleep, chance and how to connect (None: the network)."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    transport: httpx.BaseTransport | None = None


def complete(endpoint: Endpoint, messages: Sequence[Message], around: Surroundings | None = None) -> str:
    """Return the text a model answers with.

    Raises `EndpointError` where it does not answer in time, refuses, or answers anything but one message of text; and
    `MissingToolError` where httpx is not installed.
    """
    around = around or Surroundings()
    ends = around.clock() + endpoint.timeout
    body = json.dumps({**endpoint.parameters(), "messages": [dict(one) for one in messages]}).encode()
    for attempt in range(1, TRIES + 1):
        status, wait, answer = _within(endpoint, body, around, ends)
        if status == 200:
            return _text(answer)
        if status not in TRANSIENT or attempt == TRIES:
            raise EndpointError(f"the model's endpoint answered with status {status}")
        pause = max(wait, 2 ** (attempt - 1) * (0.5 + around.chance() / 2))
        if around.clock() + pause >= ends:
            raise EndpointError(f"the model's endpoint asks to wait (status {status}) beyond the time it has")
        around.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _within(endpoint: Endpoint, body: bytes, around: Surroundings, ends: float) -> tuple[int, float, bytes]:
    """One attempt, ended at the deadline even where the server sends a byte now and then."""
    try:
        import httpx
    except ImportError as error:
        raise MissingToolError("a language model is asked with httpx: pip install 'workbench[llm]'") from error
    left = ends - around.clock()
    if left <= 0:
        raise EndpointError("the model's endpoint did not answer in time")
    client = httpx.Client(transport=around.transport, follow_redirects=False, trust_env=False, timeout=left)
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(_ask, client, endpoint, body).result(left)
    except (Late, httpx.TimeoutException) as error:
        raise EndpointError("the model's endpoint did not answer in time") from error
    except httpx.HTTPError as error:
        raise EndpointError(f"the model's endpoint cannot be reached ({type(error).__name__})") from error
    finally:
        client.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _ask(client: httpx.Client, endpoint: Endpoint, body: bytes) -> tuple[int, float, bytes]:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    with client.stream("POST", endpoint.url, content=body, headers=headers) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise EndpointError("the model's endpoint packs its answer although it was asked not to")
        read = bytearray()
        for chunk in response.iter_raw():
            read += chunk
            if len(read) > LARGEST:
                raise EndpointError(f"the model's endpoint answers with more than {LARGEST:,} bytes")
        return response.status_code, _wait(response.headers.get("retry-after", "")), bytes(read)


def _wait(header: str) -> float:
    """Seconds that Retry-After asks for; a date there is taken as no answer."""
    return float(header) if header.strip().isdigit() and len(header.strip()) < 6 else 0.0


def _text(answer: bytes) -> str:
    """The one message of an answer. Raises `EndpointError` for tool calls, several choices, or one cut off."""
    try:
        (choice,) = json.loads(answer)["choices"]
        message = choice["message"]
        text, ended, calls = message["content"], choice.get("finish_reason", "stop"), message.get("tool_calls")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EndpointError("the model's endpoint does not answer as a chat completion") from error
    if calls or not isinstance(text, str):
        raise EndpointError("the model answers with something else than text; it has no tools here")
    if ended not in ("stop", None):
        raise EndpointError(f"the model's answer is not whole (it ended by {str(ended)[:20]!r})")
    return text

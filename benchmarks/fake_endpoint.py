"""An endpoint that lies, hangs and breaks on command: a small HTTP server on this machine, scripted reply by reply."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[[Any], None]


def completion(text: object, **message: object) -> bytes:
    """A well-formed answer that holds a text."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
    return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice]}).encode()


def answer(body: bytes, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Step:
    """A script's step that sends a body."""

    def step(handler: Any) -> None:
        handler.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def says(text: str) -> Step:
    """A step that answers properly with a text."""
    return answer(completion(text))


def hangs(seconds: float = 5.0) -> Step:
    """A step that says nothing for a while."""
    return lambda handler: time.sleep(seconds)


def drips(body: bytes, pause: float = 0.05) -> Step:
    """A step that sends its answer byte by byte."""

    def step(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(pause)

    return step


def floods(size: int) -> Step:
    """A step that sends far too much."""

    def step(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(size // 65_536):
            handler.wfile.write(b" " * 65_536)

    return step


class Served:
    """A running fake: its address, the requests it saw, and the steps left; the last step serves for ever."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = list(steps)
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.url = ""


@contextmanager
def serving(*steps: Step) -> Iterator[Served]:
    """Run a fake endpoint that takes one step a request."""
    served = Served(steps)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            served.requests.append((dict(self.headers), json.loads(self.rfile.read(length))))
            step = served.steps.pop(0) if len(served.steps) > 1 else served.steps[0]
            try:
                step(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client had enough

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()

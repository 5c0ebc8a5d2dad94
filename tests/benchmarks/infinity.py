"""A stand-in for infinity: its command line, `/health` and `/embeddings`, and vectors that mean nothing.

Run as a program by the environment that `test_model_benchmarks` writes; the standard library alone, so that
it starts at once. It refuses what infinity would refuse: another model, or an input that is no JPEG.
"""

from __future__ import annotations

import argparse
import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_PREFIX: Final = "data:image/jpeg;base64,"
_JPEG: Final = b"\xff\xd8"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    model = ""

    def do_GET(self) -> None:
        """`/health`."""
        self._answer(200 if self.path == "/health" else 404, {})

    def do_POST(self) -> None:
        """`/embeddings`."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_known = self.path == "/embeddings" and body["model"] == self.model
        pictures = [base64.b64decode(url.removeprefix(_PREFIX)) for url in body["input"]]
        if not is_known or not all(picture.startswith(_JPEG) for picture in pictures):
            self._answer(400, {})
            return
        self._answer(200, {"data": [{"embedding": [0.5] * 4} for _ in pictures]})

    def log_message(self, *_: object) -> None:
        """Nothing: nobody reads it."""

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Every client may knock at the same moment."""

    request_queue_size = 64


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("version", choices=["v2"])
    for option in ("--engine", "--device", "--dtype", "--batch-size"):
        parser.add_argument(option, required=True)
    parser.add_argument("--model-id", required=True)
    parser.add_argument("--no-bettertransformer", action="store_true")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    Handler.model = arguments.model_id
    Server((arguments.host, arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()

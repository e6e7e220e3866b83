"""LiteLLM imported once; every client is a fork of this process.

Importing LiteLLM takes seconds and reads no AWS variable, so a fork that takes over the client's whole environment
before it calls anything sees what a fresh process would. The test checks that claim on a sample (`--fresh` checks it
everywhere).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import socketserver
import sys

sys.dont_write_bytecode = True  # this directory is in the working tree
import litellm_client  # noqa: E402


class _Client(socketserver.StreamRequestHandler):
    """Runs in the forked child."""

    def handle(self) -> None:
        order = json.loads(self.rfile.readline())
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["directory"])
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = litellm_client.main(*order["arguments"])
        self.wfile.write(json.dumps({"exit": status, "said": said.getvalue()[-2000:]}).encode() + b"\n")


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    request_queue_size = 32


if __name__ == "__main__":
    with _Server(sys.argv[1], _Client) as server:
        print("ready", flush=True)
        server.serve_forever()

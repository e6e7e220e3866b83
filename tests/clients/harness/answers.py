"""A stand-in for STS, Bedrock and Bedrock Runtime that verifies signatures and fails on request.

    python3 -m harness.answers KEY_ID SECRET TOKEN BEARER [CERTIFICATE KEY]

It prints its port and serves until its standard input ends. The beginning of the path says how to answer:

    /good              as AWS does
    /fail/STATUS/CODE/MESSAGE
                       with that error, once the signature was found right; `none` is a CODE of nobody's
    /echo              with an error that repeats the headers of the request
    /clock/SECONDS     as a machine whose clock is that far ahead: to it, signatures have expired
    /interim           after an interim answer
    /page, /nonsense, /moved
                       as somebody else than AWS

The names of errors and their texts are AWS's documented ones.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from .sigv4 import Signature

_KEY_ID, _SECRET, _TOKEN, _BEARER = sys.argv[1:5]
_MODELS = ["anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-lite-v1:0"]
_XML = '<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{1}</{0}Response>'


class _Refused(Exception):
    """Status, code and message."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["content-length"] or 0)))

    def do_CONNECT(self) -> None:
        self._answer(403, "text/plain", "no")

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((timestamp or time.time()) + self._ahead(), usegmt=True)

    def _ahead(self) -> int:
        parts = self.path.split("/")
        return int(parts[2]) if parts[1] == "clock" else 0

    def _serve(self, body: bytes) -> None:
        mode, *rest = self.path.strip("/").split("/")
        service = "sts" if b"GetCallerIdentity" in body else "bedrock"
        try:
            self._authenticate(service, body)
            if mode == "fail":
                raise _Refused(int(rest[0]), unquote(rest[1]), unquote(rest[2]))
            if mode == "echo":
                raise _Refused(400, "ValidationException", f"The Canonical String is {self.headers}".replace("\n", " "))
        except _Refused as refused:
            self._refuse(service, *refused.args)
            return
        if mode == "interim":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\nx-amzn-errortype: interim\r\n\r\n")
        if mode == "page":
            self._answer(200, "text/html; charset=utf-8", "<html>Welcome to Hotel Wi-Fi</html>")
        elif mode == "nonsense":
            self._answer(200, "text/plain", "ok")
        elif mode == "moved":
            self._answer(302, "text/plain", "", location="http://127.0.0.1:9/")
        else:
            self._answer_well(service, body)

    def _authenticate(self, service: str, body: bytes) -> None:
        authorization = self.headers["authorization"] or ""
        if authorization.startswith("Bearer "):
            if authorization != f"Bearer {_BEARER}":
                raise _Refused(
                    403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid."
                )
            return
        signature = Signature.read(authorization)
        if signature is None:
            raise _Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        sts = service == "sts"
        if signature.key_id != _KEY_ID or (self.headers["x-amz-security-token"] or _TOKEN) != _TOKEN:
            code = "InvalidClientTokenId" if sts else "UnrecognizedClientException"
            raise _Refused(403, code, "The security token included in the request is invalid.")
        wrong = "SignatureDoesNotMatch" if sts else "InvalidSignatureException"
        if self._ahead():
            raise _Refused(403, wrong, "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z")
        scoped = signature.service == service and {"host", "x-amz-date"} <= set(signature.signed_headers.split(";"))
        if not scoped or not signature.is_made_with(_SECRET, self.command, self.path, self.headers, body):
            raise _Refused(403, wrong, "The request signature we calculated does not match the signature you provided.")

    def _answer_well(self, service: str, body: bytes) -> None:
        if service == "sts":
            result = (
                "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/toolkit</Arn>"
                "<UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
            )
            self._answer(200, "text/xml", _XML.format("GetCallerIdentity", result))
        elif self.path.endswith("/foundation-models"):
            self._answer_json(200, {"modelSummaries": [{"modelId": model} for model in _MODELS]})
        elif self.path.endswith("/converse") and json.loads(body)["inferenceConfig"] == {"maxTokens": 1}:
            self._answer_json(200, {"usage": {"inputTokens": 8, "outputTokens": 1, "totalTokens": 9}})
        else:
            self._answer_json(404, {"message": "no such operation"})

    def _refuse(self, service: str, status: int, code: str, message: str) -> None:
        if code == "none":
            self._answer(status, "text/plain", message)
        elif service == "sts":
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            self._answer(status, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>")
        else:
            kind = f"{code}:http://internal.amazon.com/coral/com.amazon.bedrock/"
            self._answer_json(status, {"message": message}, **{"x-amzn-errortype": kind})

    def _answer_json(self, status: int, value: object, **headers: str) -> None:
        self._answer(status, "application/json", json.dumps(value), **headers)

    def _answer(self, status: int, kind: str, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    # A client that hangs up is no news.
    server.handle_error = lambda *_: None
    if sys.argv[5:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*sys.argv[5:])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()

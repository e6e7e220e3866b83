"""A loopback stand-in for the AWS services, which remembers who signed what.

Clients reach it by `AWS_ENDPOINT_URL=http://127.0.0.1:PORT/TAG`; TAG (`case/side/client`) says whose request it is.
It also is the clients' HTTPS proxy: it lets nothing through and remembers who tried to leave the loopback interface.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

from . import identities
from .identities import Identity
from .sigv4 import Signature, is_presigned_with

SSO_TOKEN = "sso-access-token-EXAMPLE"
_TAG_PARTS = 3
TUNNEL_TAG = "tunnel/aws/cli"
"""Whose the requests are that come through the tunnel: the AWS CLI 2 of Debian knows no `AWS_ENDPOINT_URL`."""


@dataclass(frozen=True)
class Seen:
    """How one request identified itself. `trouble` is empty when everything fitted together."""

    operation: str
    shown: str = "nothing"
    region: str = ""
    kind: str = ""
    trouble: str = ""

    def is_from(self, wanted: Identity, region: str) -> bool:
        """Whether the request used exactly these credentials and, when it is signed, this region."""
        right_region = self.kind == "bearer" or self.region == region
        return not self.trouble and right_region and (self.shown, self.kind) == (wanted.shown(), wanted.kind)

    def __str__(self) -> str:
        parts = [self.shown, self.region, self.kind, self.trouble]
        return " ".join(part for part in parts if part)


class Ledger:
    """What the clients said and did, by tag. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, list[Seen]] = defaultdict(list)
        self._reports: dict[str, dict] = {}
        self._escapes: list[str] = []

    def add(self, tag: str, seen: Seen) -> None:
        with self._lock:
            self._seen[tag].append(seen)

    def add_report(self, tag: str, report: dict) -> None:
        with self._lock:
            self._reports[tag] = report

    def add_escape(self, what: str) -> None:
        with self._lock:
            self._escapes.append(what)

    def seen(self, tag: str) -> list[Seen]:
        with self._lock:
            return list(self._seen.get(tag, ()))

    def report(self, tag: str) -> dict | None:
        """What the probe said when the client had ended; None when it never got there."""
        with self._lock:
            return self._reports.get(tag)

    def escapes(self) -> list[str]:
        with self._lock:
            return sorted(set(self._escapes))


def _identify(operation: str, handler: BaseHTTPRequestHandler, body: bytes) -> Seen:
    authorization = handler.headers["authorization"] or ""
    if authorization.startswith("Bearer"):
        bearer = authorization[len("Bearer") :].strip()
        if bearer.startswith("bedrock-api-key-"):
            return _identify_short_lived(operation, bearer)
        known = identities.BY_BEARER.get(bearer)
        return Seen(
            operation, known.bearer if known else "unknown", "", "bearer", "" if known else "unknown bearer token"
        )
    signature = Signature.read(authorization)
    if signature is None:
        return Seen(operation, trouble="not signed")
    token = handler.headers["x-amz-security-token"] or ""
    known = identities.BY_KEY_ID.get(signature.key_id)
    kind = "session" if token else "keys"
    if known is None:
        trouble = "unknown key id"
    elif token != known.token:
        owner = identities.BY_TOKEN.get(token)
        trouble = (
            f"session token of {owner.name}" if owner else "session token missing" if not token else "unknown token"
        )
    elif not signature.is_made_with(known.secret, handler.command, handler.path, handler.headers, body):
        trouble = "signature does not match"
    else:
        trouble = ""
    return Seen(operation, signature.key_id, signature.region, kind, trouble)


def _identify_short_lived(operation: str, key: str) -> Seen:
    """A short-lived Bedrock API key is a presigned address, so it shows whose keys signed it."""
    url = urlsplit("//" + base64.b64decode(key.removeprefix("bedrock-api-key-")).decode())
    query = dict(parse_qsl(url.query))
    known = identities.BY_KEY_ID.get(query["X-Amz-Credential"].split("/")[0])
    region = query["X-Amz-Credential"].split("/")[2]
    if known is None or query.get("X-Amz-Security-Token", "") != known.token:
        return Seen(operation, "unknown", region, "bearer", "unknown keys")
    right = is_presigned_with(known.secret, "POST", url.netloc, url.path, query, ignored=("Version",))
    return Seen(operation, identities.signed_by(known, region).bearer, region, "bearer", "" if right else "signature does not match")


_CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 1},
}
_INVOKE = {
    "id": "msg_example",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-haiku-20240307",
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_CALLER = (
    "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/{0}</Arn><UserId>{0}</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult>"
)
_ASSUMED = (
    "<{0}Result><Credentials><AccessKeyId>{1.key_id}</AccessKeyId><SecretAccessKey>{1.secret}</SecretAccessKey>"
    "<SessionToken>{1.token}</SessionToken><Expiration>2099-12-31T23:59:59Z</Expiration></Credentials>"
    "<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:x</AssumedRoleId>"
    "<Arn>arn:aws:sts::123456789012:assumed-role/x/x</Arn></AssumedRoleUser></{0}Result>"
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoopbackAws
    in_front = ""
    """What stands in front of the path of a request, as its client does not know of tags."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["content-length"] or 0)))

    def do_CONNECT(self) -> None:
        self.server.ledger.add_escape(self.path)
        self._answer(403, "text/plain", b"loopback only")

    def log_message(self, *_: object) -> None:
        """Quiet: the ledger is the log."""

    def _serve(self, body: bytes) -> None:
        url = urlsplit(self.path)
        if url.netloc:  # a plain-http request sent to us as a proxy
            self.do_CONNECT()
            return
        parts = (self.in_front + url.path).strip("/").split("/")
        if parts[0] == "report":
            self.server.ledger.add_report("/".join(parts[1:]), json.loads(body))
            self._answer_json({})
            return
        tag, rest = "/".join(parts[:_TAG_PARTS]), parts[_TAG_PARTS:]
        if rest[:1] == ["model"]:
            self._record(tag, rest[-1], body)
            self._answer_json(_CONVERSE if rest[-1] == "converse" else _INVOKE)
        elif rest == ["federation", "credentials"]:
            self._hand_out_role(tag)
        elif not rest and body:
            self._answer_sts(tag, parse_qs(body.decode()).get("Action", [""])[0], body)
        else:
            self.server.ledger.add(tag, Seen(f"{self.command} /{'/'.join(rest)}", trouble="unexpected request"))
            self._answer(404, "text/plain", b"no such operation")

    def _record(self, tag: str, operation: str, body: bytes) -> None:
        self.server.ledger.add(tag, _identify(operation, self, body))

    def _hand_out_role(self, tag: str) -> None:
        right = self.headers["x-amz-sso_bearer_token"] == SSO_TOKEN
        self.server.ledger.add(tag, Seen("sso", "cached token" if right else "wrong token"))
        claude = identities.CLAUDE
        expiration = int(time.time() + 3600) * 1000
        credentials = {
            "accessKeyId": claude.key_id,
            "secretAccessKey": claude.secret,
            "sessionToken": claude.token,
            "expiration": expiration,
        }
        self._answer_json({"roleCredentials": credentials})

    def _answer_sts(self, tag: str, action: str, body: bytes) -> None:
        if action == "GetCallerIdentity":
            operation, result = "sts", _CALLER.format("example")
        else:  # AssumeRole, AssumeRoleWithWebIdentity
            operation, result = action, _ASSUMED.format(action, identities.ROLE)
        self._record(tag, operation, body)
        xml = f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{result}'
        xml += f"<ResponseMetadata><RequestId>example</RequestId></ResponseMetadata></{action}Response>"
        self._answer(200, "text/xml", xml.encode())

    def _answer_json(self, value: object) -> None:
        self._answer(200, "application/json", json.dumps(value).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _TunnelHandler(_Handler):
    """A proxy that answers in the place of AWS itself, for a client that trusts its certificate."""

    def do_CONNECT(self) -> None:
        if not self.path.endswith(".amazonaws.com:443"):
            super().do_CONNECT()
            return
        self.send_response(200)
        self.end_headers()
        self.close_connection = False  # whatever version of HTTP it was asked for with
        self.in_front = f"/{TUNNEL_TAG}"
        self.connection = self.server.tunnel.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", 0)


class LoopbackAws(ThreadingHTTPServer):
    """Use it as a context manager; it stops with the block."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, ledger: Ledger, encryption: ssl.SSLContext | None = None, tunnel: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _TunnelHandler if tunnel else _Handler)
        self.ledger = ledger
        self.tunnel = tunnel
        if encryption:
            self.socket = encryption.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if encryption else 'http'}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> LoopbackAws:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news; its probe reports how it ended."""

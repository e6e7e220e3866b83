"""Checks an AWS Signature Version 4, as the real services would.

A client that mixes the key id of one identity with the secret or the session token of another would look right by its
key id alone. Only what the clients of this test send is covered: header signatures of services other than S3.
Rule: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qsl, quote, urlsplit

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,"
    r" ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})$"
)


def is_presigned_with(
    secret: str, method: str, host: str, path: str, query: dict[str, str], ignored: tuple[str, ...] = ()
) -> bool:
    """Whether `secret` signs this address to its very signature."""
    signed = sorted((name, value) for name, value in query.items() if name not in ("X-Amz-Signature", *ignored))
    encoded = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in signed)
    canonical = "\n".join([method, path, encoded, f"host:{host}", "", "host", hashlib.sha256(b"").hexdigest()])
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    to_sign = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}"
    return hmac.digest(key, to_sign.encode(), "sha256").hex() == query["X-Amz-Signature"]


@dataclass(frozen=True)
class Signature:
    """The parts of an `Authorization: AWS4-HMAC-SHA256` header."""

    key_id: str
    day: str
    region: str
    service: str
    signed_headers: str
    value: str

    @classmethod
    def read(cls, authorization: str) -> Signature | None:
        """None when the header is not a version 4 signature."""
        match = _AUTHORIZATION.match(authorization.strip())
        return cls(*match.groups()) if match else None

    def is_made_with(self, secret: str, method: str, target: str, headers: Message, body: bytes) -> bool:
        """Whether `secret` signs this request to this very value."""
        url = urlsplit(target)
        query = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(url.query, True))
        names = self.signed_headers.split(";")
        canonical = "\n".join(
            [
                method,
                quote(url.path, safe="/-_.~"),  # the path on the wire is encoded once, the signed one twice
                "&".join(f"{k}={v}" for k, v in query),
                *(f"{name}:{' '.join((headers[name] or '').split())}" for name in names),
                "",
                self.signed_headers,
                headers["x-amz-content-sha256"] or hashlib.sha256(body).hexdigest(),
            ]
        )
        scope = f"{self.day}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
        key = f"AWS4{secret}".encode()
        for part in (self.day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), self.value)

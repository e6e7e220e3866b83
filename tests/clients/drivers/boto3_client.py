"""boto3 as any Python program uses it: no argument names a profile, a key or a region.

Bedrock is reached by TLS, because botocore refuses to send a bearer token in the clear.
"""

from __future__ import annotations

import json
import os
import sys

import boto3

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


def bedrock():
    return boto3.client("bedrock-runtime", endpoint_url=os.environ["CLIENTS_TLS_URL"], verify=os.environ["CLIENTS_CA"])


def converse() -> None:
    message = {"role": "user", "content": [{"text": "hello"}]}
    bedrock().converse(modelId=MODEL, messages=[message])


def invoke() -> None:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hello"}],
    }
    bedrock().invoke_model(modelId=MODEL, body=json.dumps(body))


def sts() -> None:
    boto3.client("sts").get_caller_identity()


def main() -> int:
    failed = 0
    for call in (converse, invoke, sts):
        try:
            call()
        except Exception as error:  # any failure is an answer the test compares
            failed = 1
            print(f"{call.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())

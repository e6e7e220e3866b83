"""LiteLLM's completion call as its proxy makes it, by keys in the environment or by profile name.

`environment` names nothing. `profile` takes profile and region from the two variables that the hook exports, in the
form of a LiteLLM configuration file; LiteLLM's own Router resolves the `os.environ/` references.
"""

from __future__ import annotations

import os
import sys

import litellm

MODELS = {
    "converse": "bedrock/converse/anthropic.claude-3-haiku-20240307-v1:0",
    "invoke": "bedrock/invoke/anthropic.claude-3-haiku-20240307-v1:0",
}
BY_PROFILE = {
    "aws_profile_name": "os.environ/BACKLOG_AWS_PROFILE",
    "aws_region_name": "os.environ/BACKLOG_AWS_REGION",
}
MESSAGES = [{"role": "user", "content": "hello"}]


def complete(form: str, model: str) -> None:
    # LiteLLM does not know AWS_ENDPOINT_URL.
    parameters = {"model": model, "max_tokens": 9, "aws_bedrock_runtime_endpoint": os.environ["AWS_ENDPOINT_URL"]}
    if form == "environment":
        litellm.completion(messages=MESSAGES, **parameters)
        return
    parameters |= BY_PROFILE
    router = litellm.Router(model_list=[{"model_name": "claude", "litellm_params": parameters}], num_retries=0)
    router.completion(model="claude", messages=MESSAGES)


def main(form: str) -> int:
    failed = 0
    for operation, model in MODELS.items():
        try:
            complete(form, model)
        except Exception as error:  # any failure is an answer the test compares
            failed = 1
            print(f"{operation}: {type(error).__name__}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

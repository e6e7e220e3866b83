#!/bin/sh
# The AWS CLI: `aws_client.sh PYTHON AWS`, both from the test's own virtual environment.
failed=0
"$1" "$2" sts get-caller-identity || failed=1
"$1" "$2" bedrock-runtime converse --model-id anthropic.claude-3-haiku-20240307-v1:0 \
    --messages '[{"role": "user", "content": [{"text": "hello"}]}]' || failed=1
exit "$failed"

"""bedrock_token.py DATE SECONDS REGION: what AWS's generator makes at that moment of the keys in the environment."""

from __future__ import annotations

import datetime
import sys

import botocore.auth
from aws_bedrock_token_generator import provide_token

date, seconds, region = sys.argv[1:]
moment = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
botocore.auth.get_current_datetime = lambda **_: moment
print(provide_token(region=region, expiry=datetime.timedelta(seconds=int(seconds))))

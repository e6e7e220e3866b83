"""The real LiteLLM proxy: starts it in this very environment, asks it once per model, stops it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

SECONDS_TO_START = 50
MASTER_KEY = "sk-loopback-example"
CONFIG = Path(__file__).with_name("litellm.yaml")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_alive(url: str, proxy: subprocess.Popen) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if proxy.poll() is not None:
            raise RuntimeError(f"the proxy ended with {proxy.returncode}")
        try:
            OPENER.open(f"{url}/health/liveliness", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the proxy did not answer within {SECONDS_TO_START} s")


def ask(url: str, model: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9}
    headers = {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    OPENER.open(request, timeout=30).close()


def main() -> int:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    litellm = Path(sys.executable).with_name("litellm")
    arguments = ["--config", CONFIG, "--host", "127.0.0.1", "--port", str(port)]
    # The proxy refuses to start without a key; this one opens nothing but this process.
    environment = os.environ | {"LITELLM_MASTER_KEY": MASTER_KEY}
    with open(os.path.join(os.environ["TMPDIR"], f"proxy-{port}.log"), "w+") as log:
        proxy = subprocess.Popen(
            [sys.executable, litellm, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        failed = 0
        try:
            wait_until_alive(url, proxy)
            for model in ("by-environment", "by-profile"):
                try:
                    ask(url, model)
                except urllib.error.HTTPError as error:
                    failed = 1
                    print(f"{model}: {error.code} {error.read().decode()[:300]}", file=sys.stderr)
        except (OSError, RuntimeError) as error:
            failed = 1
            log.seek(0)
            print(f"{error}\n{log.read()[-1500:]}", file=sys.stderr)
        finally:
            proxy.terminate()
            try:
                proxy.wait(10)
            except subprocess.TimeoutExpired:
                proxy.kill()
    return failed


if __name__ == "__main__":
    sys.exit(main())

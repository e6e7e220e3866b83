"""Everything the trials share: the loopback servers, the waiting LiteLLM, and how a client is started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
from pathlib import Path

from . import sandbox
from .install import HERE, Installed
from .server import Ledger, LoopbackAws
from .shells import type_into
from .states import State

DRIVERS = HERE / "drivers"
SECONDS_PER_COMMAND = 120
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
MESSAGES = '[{"role": "user", "content": [{"text": "hello"}]}]'

# What each client asks of the loopback services, in this order.
OPERATIONS = {
    "boto3": ("converse", "invoke", "sts"),
    "aws-cli": ("sts",),
    "aws-cli-default": ("sts",),
    "aws-cli-bedrock": ("converse",),
    "js-sdk": ("converse", "invoke", "sts"),
    "js-sdk-env-file": ("converse", "invoke", "sts"),
    "claude-sdk": ("invoke",),
    "litellm": ("converse", "invoke"),
    "litellm-fresh": ("converse", "invoke"),
    "litellm-profile": ("converse", "invoke"),
    "litellm-proxy": ("converse", "invoke"),
}


class Bench(contextlib.ExitStack):
    """A context manager: with its end all that it started has ended and `scratch` is gone."""

    def __init__(self, installed: Installed, binary: Path, scratch: Path, *, fresh_litellm: bool) -> None:
        super().__init__()
        self.installed = installed
        self.scratch = scratch
        self.env_file = scratch / "credentials.env"
        self.ledger = Ledger()
        self._given_up = threading.Event()
        self._commands_running: set[subprocess.Popen] = set()
        self._settings = scratch / "settings.json"
        self._path = self._fill_path(binary)
        self._fresh_litellm = fresh_litellm
        self._programs = {shell: shutil.which(shell) for shell in sandbox.SHELLS}
        missing = [shell for shell, program in self._programs.items() if program is None]
        if missing:
            raise SystemExit(f"tests/clients: {', '.join(missing)}: needed and not on PATH")

    def __enter__(self) -> Bench:
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        plain = self.enter_context(LoopbackAws(self.ledger))
        self.proxy_url = plain.url
        certificate = self._make_certificate()
        encrypted = self.enter_context(LoopbackAws(self.ledger, certificate))
        self._tunnel = self.enter_context(LoopbackAws(self.ledger, tunnel=certificate))
        socket = self.scratch / "litellm"
        settings = {
            "url": plain.url,
            "tls_url": encrypted.url,
            "ca": str(self.scratch / "certificate.pem"),
            "litellm_socket": str(socket),
            "clients": self._commands(),
        }
        self._settings.write_text(json.dumps(settings))
        self._start_litellm(socket)

    def environment(self, home: Path) -> dict[str, str]:
        """What a shell, or a command without one, starts with."""
        return sandbox.environment(home, self._path, self._settings, self.proxy_url, self.scratch)

    def in_tunnel(self, aws: str, home: Path) -> dict[str, str]:
        """Variables with which the AWS CLI in the directory `aws` gets its answers here, and knows programs of the home."""
        ca = str(self.scratch / "certificate.pem")
        path = f"{aws}:{home}/bin:{self._path}"
        return {"PATH": path, "HTTPS_PROXY": self._tunnel.url, "AWS_CA_BUNDLE": ca}

    def home(self, name: str, shell: str, state: State, *, with_hook: bool) -> sandbox.Home:
        return sandbox.Home(self.scratch / "homes" / name, shell, state, with_hook=with_hook)

    def type_into(self, shell: str, lines: list[str], home: sandbox.Home) -> str:
        """See `shells.type_into`."""
        program = self._programs[shell]
        assert program is not None
        return type_into(shell, program, lines, home.path, self.environment(home.path), self._given_up)

    def call(
        self, home: sandbox.Home, command: list[str], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Runs `command` without a terminal; `variables` come on top of the environment of every client."""
        with subprocess.Popen(
            ["/usr/bin/env", *command],
            env=self.environment(home.path) | variables,
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            self._commands_running.add(process)
            try:
                stdout, stderr = process.communicate(timeout=SECONDS_PER_COMMAND)
            finally:
                self._commands_running.discard(process)
                _kill_group(process)
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def give_up(self) -> None:
        """Lets every trial that is under way end at once."""
        self._given_up.set()
        for process in list(self._commands_running):
            _kill_group(process)

    def shell_command(self, shell: str, script: str) -> list[str]:
        """The command line that runs `script` without a terminal."""
        program = self._programs[shell]
        assert program is not None
        return [program, "-c", script]

    def _fill_path(self, binary: Path) -> str:
        binaries = self.scratch / "bin"
        binaries.mkdir()
        (binaries / "backlog-aws").symlink_to(binary)
        # -I and -S: the probe starts fast and reads no PYTHON* variable.
        (binaries / "probe").write_text(f'#!/bin/sh\nexec "{self.installed.python}" -I -S "{DRIVERS}/probe" "$@"\n')
        (binaries / "probe").chmod(0o755)
        (binaries / "start-services.sh").symlink_to(DRIVERS / "start-services.sh")
        return f"{binaries}:/usr/local/bin:/usr/bin:/bin"

    def _commands(self) -> dict[str, list[str]]:
        python, aws, node = (str(path) for path in (self.installed.python, self.installed.aws, self.installed.node))
        litellm = [python, str(DRIVERS / "litellm_client.py")] if self._fresh_litellm else ["preloaded"]
        return {
            "boto3": [python, str(DRIVERS / "boto3_client.py")],
            "aws-cli": [python, aws, "sts", "get-caller-identity"],
            "aws-cli-default": [python, aws, "sts", "get-caller-identity", "--profile", "default"],
            "aws-cli-bedrock": [
                python,
                aws,
                "bedrock-runtime",
                "converse",
                "--model-id",
                MODEL,
                "--messages",
                MESSAGES,
            ],
            "js-sdk": [node, str(self.installed.javascript / "node_client.mjs")],
            "js-sdk-env-file": [
                node,
                f"--env-file={self.env_file}",
                str(self.installed.javascript / "node_client.mjs"),
            ],
            "claude-sdk": [node, str(self.installed.javascript / "anthropic_client.mjs")],
            "litellm": [*litellm, "environment"],
            "litellm-profile": [*litellm, "profile"],
            "litellm-fresh": [python, str(DRIVERS / "litellm_client.py"), "environment"],
            "litellm-proxy": [python, str(DRIVERS / "litellm_proxy.py")],
        }

    def _make_certificate(self) -> ssl.SSLContext:
        files = [self.scratch / "certificate.pem", self.scratch / "key.pem"]
        command = [self.installed.python, DRIVERS / "make_certificate.py", *files]
        subprocess.run(command, env=self.environment(self.scratch), check=True, timeout=60)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        return context

    def _start_litellm(self, socket: Path) -> None:
        if self._fresh_litellm:
            return
        process = subprocess.Popen(
            [self.installed.python, DRIVERS / "litellm_preloaded.py", socket],
            env=self.environment(self.scratch),
            cwd=self.scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.callback(_end_group, process)
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise SystemExit("tests/clients: LiteLLM could not be imported")


def _end_group(process: subprocess.Popen) -> None:
    """Ends the process and its forks."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    _kill_group(process)
    process.wait()


def _kill_group(process: subprocess.Popen) -> None:
    """Kills what is left of a process that leads a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or on macOS not yet reaped
        os.killpg(process.pid, signal.SIGKILL)

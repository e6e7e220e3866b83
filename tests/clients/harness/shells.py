"""Types lines into a real interactive shell on a terminal of its own, so that its prompts and hooks run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from pathlib import Path
from threading import Event

from .sandbox import PROMPT

SECONDS_PER_LINE = 90  # the slowest line starts LiteLLM's proxy; on a busy machine that takes half of it
SECONDS_TO_START = 30
# Global start-up files of the machine stay out of the test.
_ARGUMENTS = {
    "bash": ("--noprofile", "-i"),
    "zsh": ("-d", "-i"),
    "fish": ("-i",),
}


class ShellFailed(Exception):
    """The shell did not finish what was typed. Says what was on its screen."""


def type_into(
    shell: str, program: str, lines: list[str], home: Path, environment: dict[str, str], given_up: Event
) -> str:
    """Starts `shell`, types `lines` one after the other, leaves, and returns what the screen showed.

    Ends early, with `ShellFailed`, once `given_up` is set. Each line is typed when the one before it has ended, which a
    file tells: prompts may be drawn more than once.
    """
    master, slave = pty.openpty()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(os.close, master)
        try:
            process = subprocess.Popen(
                ["/usr/bin/env", program, *_ARGUMENTS[shell]],
                cwd=home,
                env=environment,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                preexec_fn=_take_terminal,
            )
        finally:
            os.close(slave)
        cleanup.callback(_end, process)
        screen = _Screen(master, given_up)
        screen.read_until(lambda: PROMPT in screen.text, SECONDS_TO_START)
        for number, line in enumerate(lines):
            done = home / f".done-{number}"
            os.write(master, f"{line}; echo > {done}\n".encode())
            screen.read_until(done.exists, SECONDS_PER_LINE)
        os.write(master, b"exit\n")
        screen.read_until(lambda: process.poll() is not None, SECONDS_TO_START)
        return screen.text


def _take_terminal() -> None:
    """In the child: job control needs the terminal to be the session's own."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _end(process: subprocess.Popen) -> None:
    """The session's leader goes last; the terminal's end has told the others."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Screen:
    """What the terminal has shown so far."""

    def __init__(self, master: int, given_up: Event) -> None:
        self._master = master
        self._given_up = given_up
        self.text = ""

    def read_until(self, is_over, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_over():
            if self._given_up.is_set():
                raise ShellFailed("given up")
            if time.monotonic() > deadline:
                raise ShellFailed(f"nothing came of it for {seconds:.0f} s; the screen:\n{self.text[-3000:]}")
            if select.select([self._master], [], [], 0.02)[0]:
                try:
                    self.text += os.read(self._master, 65536).decode(errors="replace")
                except OSError:  # EIO: the shell has closed the terminal
                    time.sleep(0.01)
                    if not is_over() and time.monotonic() > deadline - seconds + 2:
                        raise ShellFailed(f"the shell ended early; the screen:\n{self.text[-3000:]}") from None

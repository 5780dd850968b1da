"""The machine and the versions of a run."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_TRANSPORTS = {"tcp": "loopback TCP", "unix": "a unix socket"}


def describe(valkey: str, transport: str, versions: dict[str, str]) -> dict[str, str]:
    """The machine and the software that all contestants share.

    Args:
        valkey: The server and its version.
        transport: How contestants connect to it.
        versions: The packages in the environment of django_rqlite.
    """
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "django": versions.get("Django", "?"),
        "redis-py": versions.get("redis", "?"),
        "hiredis": versions.get("hiredis", "no"),
        "server": valkey,
        "transport": _TRANSPORTS[transport],
    }


def line(machine: dict[str, str]) -> str:
    """The description in one line."""
    return (
        "{cpu}, {cores} cores, {kernel}; {python}, Django {django}, redis-py {redis-py},"
        " hiredis: {hiredis}; {server} by {transport}, no persistence"
    ).format_map(machine)


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    for one in text.splitlines():
        name, _, value = one.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()

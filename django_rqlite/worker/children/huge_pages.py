"""Huge pages for what a fork server shares with its children: a fork copies one entry for each.

A configured Django process has some ten thousand pages, and a fork, as well as the end of the
child, walks over the entries of all. In pages of 2 MiB there are a few dozen. What a child writes
to is still copied in small pages. The price is memory: what is put into huge pages is no longer
shared with the worker, which holds the same once more.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

#: <asm-generic/mman-common.h>, Linux 6.1. The same kernels copy a shared huge page piece by piece.
_MADV_COLLAPSE = 25

_SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(\[heap\])?$")


def collapse() -> int:
    """Put this process's heap into huge pages, as far as the system goes along with it.

    An older kernel, one that has no such pages, or not enough free memory: then nothing changes.

    Returns:
        bytes that are in huge pages now.
    """
    size = _size()
    if not size:
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    collapsed = 0
    for first, end in _heap():
        for start in range(-(-first // size) * size, end - size + 1, size):
            if madvise(start, size, _MADV_COLLAPSE) == 0:
                collapsed += size
    return collapsed


def _size() -> int:
    """Bytes of a huge page; 0 where there are none."""
    try:
        return int(_SIZE.read_bytes())
    except (OSError, ValueError):
        return 0


def _heap() -> list[tuple[int, int]]:
    """Where private memory is that no file backs."""
    try:
        with open("/proc/self/maps", encoding="ascii", errors="replace") as file:
            found = [match for line in file if (match := _MAPPING.match(line.rstrip()))]
    except OSError:
        return []
    return [(int(match[1], 16), int(match[2], 16)) for match in found]

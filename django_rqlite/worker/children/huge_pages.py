"""Huge pages for the memory that a fork server shares with its children.

A configured Django process has some ten thousand pages of 4 KiB. A fork visits the page table
entries of all of them, and so does the end of a child. With pages of 2 MiB these are a few dozen.
Memory that a child writes to is still copied in small pages. This costs memory: huge pages are no
longer shared with the worker, which holds another copy.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

#: <asm-generic/mman-common.h>, Linux 6.1. These kernels copy a shared huge page piece by piece.
_MADV_COLLAPSE = 25

_SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(\[heap\])?$")


def collapse() -> int:
    """Move the heap of this process into huge pages, as far as the system supports it.

    Nothing changes on an older kernel, on one without huge pages, or without enough free memory.

    Returns:
        How many bytes are in huge pages now.
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
    """Return the size of a huge page in bytes; 0 if the system has no huge pages."""
    try:
        return int(_SIZE.read_bytes())
    except (OSError, ValueError):
        return 0


def _heap() -> list[tuple[int, int]]:
    """Return start and end of each private writable mapping that no file backs."""
    try:
        with open("/proc/self/maps", encoding="ascii", errors="replace") as file:
            found = [match for line in file if (match := _MAPPING.match(line.rstrip()))]
    except OSError:
        return []
    return [(int(match[1], 16), int(match[2], 16)) for match in found]

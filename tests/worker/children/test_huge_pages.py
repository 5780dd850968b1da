"""Huge pages: the heap keeps its content, and systems without them work too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from django_rqlite.worker.children import huge_pages


def huge_in_this_process() -> int:
    """Bytes of this process in huge pages, as the kernel counts them."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("AnonHugePages:"):
            return int(line.split()[1]) << 10
    return 0


def in_a_child(ballast: list[bytes]) -> tuple[int, int, bool]:
    """What collapse() says, what the kernel says, and whether the memory holds what it held."""
    reader, writer = os.pipe()
    before = list(map(hash, ballast))
    pid = os.fork()
    if pid == 0:
        try:
            said = huge_pages.collapse()
            unharmed = before == [hash(bytes(bytearray(block))) for block in ballast]
            os.write(writer, f"{said} {huge_in_this_process()} {unharmed:d}".encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    said, counted, unharmed = os.read(reader, 100).split()
    os.close(reader)
    os.close(writer)
    return int(said), int(counted), unharmed == b"1"


@pytest.mark.skipif(sys.platform != "linux", reason="there are no such pages elsewhere")
def test_the_heap_holds_what_it_held() -> None:
    ballast = [os.urandom(50_000) for _ in range(400)]
    said, counted, unharmed = in_a_child(ballast)
    assert unharmed
    # A kernel before 6.1, or one without huge pages, puts nothing there.
    assert counted >= said


def test_a_system_without_is_no_reason_to_complain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huge_pages, "_SIZE", tmp_path / "missing")
    assert huge_pages.collapse() == 0


def test_pages_larger_than_the_heap_are_none_for_us(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    size = tmp_path / "hpage_pmd_size"  # of an ARM machine whose small pages have 64 KiB
    size.write_text("536870912\n")
    monkeypatch.setattr(huge_pages, "_SIZE", size)
    assert huge_pages.collapse() == 0

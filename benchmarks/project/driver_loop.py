"""The loop of a driver process.

It reads operations from stdin and writes results to stdout, as one line of JSON each. ``driver.py``
of the benchmark is the other end of the pipes.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any


def run_driver(operations: Mapping[str, Callable[..., Any]]) -> None:
    """Run the operation of each line, and write its result or its error, until stdin ends."""
    # What a library prints goes to stderr, so that it cannot mix with the results.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = {"value": operations[question.pop("do")](**question)}
        except Exception as error:  # noqa: BLE001 (the benchmark reports it)
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)

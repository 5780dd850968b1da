"""The driver's end of the conversation with the runner: JSON, one line each way."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any


def answer_until_eof(operations: Mapping[str, Callable[..., Any]]) -> None:
    """Do what each line on stdin asks for; write what it returns, or its error, to stdout."""
    # Whatever a library prints must not come between.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = {"value": operations[question.pop("do")](**question)}
        except Exception as error:  # noqa: BLE001 (the runner tells of it)
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)

"""What somebody who may write to Redis would like to have imported. Its import leaves a trace."""

import os

with open(os.environ["RQ_TEST_TRACE"], "a") as trace:
    trace.write("imported\n")


def call(*_: object, **__: object) -> None:
    with open(os.environ["RQ_TEST_TRACE"], "a") as trace:
        trace.write("called\n")

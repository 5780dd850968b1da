"""Taking out what is out of place: ids in registries, groups and the mirror, names of workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...engine.engine import Engine

#: What there is to tidy, by what the log calls it. Each gives how many entries went.
SWEEPS: Mapping[str, Callable[[Engine, Sequence[str]], int]] = {
    "trimming registries": lambda engine, queues: engine.trim(*queues),
    "tidying the list of failed jobs": lambda transitions, queues: (
        transitions.clean_failed_mirror()
    ),
    "tidying groups": lambda engine, queues: engine.clean_groups(),
    "unlisting dead workers": lambda engine, queues: engine.clean_worker_registry(*queues),
}

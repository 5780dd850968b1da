"""Removing stale entries: ids in registries, groups and the mirror, and names of dead workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...engine.engine import Engine

#: The sweeps, by their names in the log. Each returns how many entries it has removed.
SWEEPS: Mapping[str, Callable[[Engine, Sequence[str]], int]] = {
    "trimming registries": lambda engine, queues: engine.trim(*queues),
    "tidying the list of failed jobs": lambda engine, queues: engine.clean_failed_mirror(),
    "tidying groups": lambda engine, queues: engine.clean_groups(),
    "unlisting dead workers": lambda engine, queues: engine.clean_worker_registry(*queues),
}

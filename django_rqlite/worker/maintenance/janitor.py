"""Removes stale entries: ids in registries, groups and the mirror, and names of dead workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...engine.engine import Engine

#: The sweeps, by their names in the log. Each returns how many entries it has removed.
SWEEPS: Mapping[str, Callable[[Engine, Sequence[str]], int]] = {
    "trimming registries": lambda engine, queues: engine.trim(*queues),
    "cleaning the list of failed jobs": lambda engine, queues: engine.clean_failed_mirror(),
    "cleaning groups": lambda engine, queues: engine.clean_groups(),
    "unregistering dead workers": lambda engine, queues: engine.clean_worker_registry(*queues),
}

"""Taking out what is out of place: ids in registries, groups and the mirror, names of workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...engine.engine import Engine

#: What there is to tidy, by what the log calls it. Each gives how many entries went.
SWEEPS: Mapping[str, Callable[[Engine, Sequence[str]], int]] = {
    "trimming registries": lambda transitions, queues: transitions.trim(*queues),
    "tidying the list of failed jobs": lambda transitions, queues: transitions.tidy_mirror(),
    "tidying groups": lambda transitions, queues: transitions.tidy_groups(),
    "unlisting dead workers": lambda transitions, queues: transitions.unlist_workers(*queues),
}

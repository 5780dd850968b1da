"""Generators of random numbers that were copied by a fork: each process seeds them anew.

Python does so with the generator behind the functions of ``random``, and with no other: processes
that draw from copies of one generator draw the same numbers. A generator that was seeded on purpose
can't be told from one that was not, so it is seeded anew as well.
"""

from __future__ import annotations

import gc
import logging
import random
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

logger = logging.getLogger("django_rqlite.worker")

#: What seeds each generator that was found, by the id of the generator, which it keeps in memory.
_seeds: dict[int, Callable[[], object]] = {}


def find_generators() -> int:
    """Look for generators in memory, before a fork; gives how many are known by now.

    Those of the collector's permanent generation are not seen, so this goes before ``gc.freeze()``.
    """
    of_python = getattr(random, "_inst", None)  # Python sees to that one
    of_random = _with_subclasses(random.Random) - _with_subclasses(random.SystemRandom)
    of_numpy = _with_subclasses(*_numpy_kinds())
    kinds = of_random | of_numpy
    # Not isinstance(): that asks objects what they pretend to be, and lazy ones go and see.
    for found in [each for each in gc.get_objects() if type(each) in kinds]:
        if type(found) in of_numpy:
            _seeds[id(found)] = partial(_seed_numpy, found)
        elif found is not of_python:
            _seeds[id(found)] = partial(_seed_python, found)
    return len(_seeds)


def forget_generators() -> None:
    """Keep none of them in memory any longer."""
    _seeds.clear()


def seed_anew() -> None:
    """Seed what was found, in a process that was forked since."""
    for seed in _seeds.values():
        try:
            seed()
        except Exception:
            logger.exception(
                "A generator of random numbers could not be seeded anew: jobs draw the same "
                "numbers from it. Make it in the job, or leave its module out of RQ['PRELOAD']."
            )


def _with_subclasses(*kinds: type) -> set[type]:
    return {*kinds}.union(*(_with_subclasses(*kind.__subclasses__()) for kind in kinds))


def _seed_python(generator: random.Random) -> None:
    generator.seed()


def _numpy_kinds() -> tuple[type, ...]:
    module: Any = sys.modules.get("numpy.random")
    names = ("BitGenerator", "RandomState")
    kinds = [getattr(module, name, None) for name in names]
    return tuple(kind for kind in kinds if isinstance(kind, type))


def _seed_numpy(generator: Any) -> None:
    """A ``Generator`` draws from its ``BitGenerator``, which is found by itself."""
    bits = getattr(generator, "_bit_generator", None)
    if bits is None:
        # With its SeedSequence, from which others are spawned.
        generator.__setstate__(type(generator)().__getstate__())
        return
    # The legacy kind keeps the second number of a pair.
    generator.set_state({**type(bits)().state, "has_gauss": 0, "gauss": 0.0})

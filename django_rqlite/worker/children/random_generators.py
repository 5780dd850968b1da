"""Random number generators that a fork has copied. Each child seeds its copies anew.

Otherwise all children would draw the same numbers. Python reseeds the generator behind the
functions of ``random`` after a fork, but no other. A generator that was seeded on purpose looks
like any other, so it is seeded anew as well.
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

#: For each generator that was found, by its id: the function that seeds it. The function keeps the
#: generator alive, so the id stays unique.
_seeds: dict[int, Callable[[], object]] = {}


def find_generators() -> int:
    """Look for generators in memory. Return how many are known by now.

    Call this before the fork, and before ``gc.freeze()``, which hides objects from the search.
    """
    of_python = getattr(random, "_inst", None)  # Python reseeds this one
    of_random = _with_subclasses(random.Random) - _with_subclasses(random.SystemRandom)
    of_numpy = _with_subclasses(*_numpy_kinds())
    kinds = of_random | of_numpy
    # type(), because isinstance() evaluates lazy objects.
    for found in [each for each in gc.get_objects() if type(each) in kinds]:
        if type(found) in of_numpy:
            _seeds[id(found)] = partial(_seed_numpy, found)
        elif found is not of_python:
            _seeds[id(found)] = partial(_seed_python, found)
    return len(_seeds)


def forget_generators() -> None:
    """Release all generators."""
    _seeds.clear()


def reseed() -> None:
    """Seed all generators that were found. Call this in a forked process."""
    for seed in _seeds.values():
        try:
            seed()
        except Exception:
            logger.exception(
                "A random number generator could not be seeded anew: jobs draw the same numbers "
                "from it. Make it in the job, or leave its module out of RQ['PRELOAD']."
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
    """Seed a ``BitGenerator`` or a legacy ``RandomState``.

    A ``Generator`` is not seeded itself: it draws from a ``BitGenerator``, which is found as well.
    """
    bits = getattr(generator, "_bit_generator", None)
    if bits is None:
        # A BitGenerator. Its state includes its SeedSequence, from which others are spawned.
        generator.__setstate__(type(generator)().__getstate__())
        return
    # A RandomState also stores the second number of a Gaussian pair.
    generator.set_state({**type(bits)().state, "has_gauss": 0, "gauss": 0.0})

"""Generators of random numbers that are made when the module is imported."""

from __future__ import annotations

import os
import random
from typing import Any

from django_rqlite.worker.children import random_generators

IMPORTED_BY = os.getpid()


class _Own(random.Random):
    pass


GENERATORS = [random.Random(), random.Random(42), _Own(7)]
GENERATORS[0].gauss(0, 1)  # it keeps the second of a pair


def draw() -> dict[str, list[float]]:
    """Give the next number of each generator."""
    return {
        "own": [generator.random() for generator in GENERATORS],
        "gauss": [generator.gauss(0, 1) for generator in GENERATORS],
        "imported here": [float(os.getpid() == IMPORTED_BY)],
    }


def count_known() -> int:
    """Give how many generators the process has seeded anew."""
    return len(random_generators._seeds)


try:
    import numpy
except ImportError:
    pass
else:
    numpy.random.seed(7)
    RNG = numpy.random.default_rng(1)
    PHILOX = numpy.random.Generator(numpy.random.Philox(1))
    LEGACY = numpy.random.RandomState(3)
    LEGACY.standard_normal()  # it keeps the second of a pair
    SHARED: dict[str, Any] = {"rng": RNG}

    def draw_with_numpy() -> dict[str, list[float]]:
        """Give the next number of each generator of numpy's."""
        return {
            "rng": [float(RNG.random()), float(PHILOX.random())],
            "legacy": [float(LEGACY.standard_normal()), float(LEGACY.random_sample())],
            "global": [float(numpy.random.random_sample())],
            "spawned": [float(RNG.spawn(1)[0].random())],
        }

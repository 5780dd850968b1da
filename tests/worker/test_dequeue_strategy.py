"""The order in which a worker takes jobs from its queues."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import redis as redis_py
from rq.worker import DequeueStrategy as RQStrategy

from django_rqlite import get_queue
from django_rqlite.exceptions import ConfigurationError
from django_rqlite.worker import DequeueStrategy, RandomWorker, RoundRobinWorker
from django_rqlite.worker.dequeue_strategy import named_strategy, ordered_queues
from tests import sample_jobs
from tests.command_process import manage
from tests.worker_process import run_burst

QUEUES = ("high", "default", "low")
CHANCE = random.Random(1)


def test_the_words_are_rq_s() -> None:
    assert [str(word) for word in DequeueStrategy] == [word.value for word in RQStrategy]
    assert named_strategy("round_robin") is DequeueStrategy.ROUND_ROBIN
    with pytest.raises(ConfigurationError, match=r"'fair'.* default, round_robin, random"):
        named_strategy("fair")


def test_as_they_were_named() -> None:
    for last in (None, *QUEUES):
        assert ordered_queues(DequeueStrategy.DEFAULT, QUEUES, last, CHANCE) == list(QUEUES)


def test_in_turn() -> None:
    def after(last: str | None) -> list[str]:
        return ordered_queues(DequeueStrategy.ROUND_ROBIN, QUEUES, last, CHANCE)

    assert after(None) == ["high", "default", "low"]
    assert after("high") == ["default", "low", "high"]
    assert after("default") == ["low", "high", "default"]
    assert after("low") == ["high", "default", "low"]
    assert after("unheard of") == ["high", "default", "low"]


def test_at_random() -> None:
    orders = [ordered_queues(DequeueStrategy.RANDOM, QUEUES, None, CHANCE) for _ in range(600)]
    assert all(sorted(each) == sorted(QUEUES) for each in orders)
    firsts = Counter(each[0] for each in orders)
    assert all(150 < firsts[name] < 250 for name in QUEUES)


@pytest.fixture
def log(redis: redis_py.Redis, tmp_path: Path) -> Path:
    """A file into which 20 jobs of each queue write its initial."""
    path = tmp_path / "log"
    for name in QUEUES:
        for _ in range(20):
            get_queue(name).enqueue(sample_jobs.write, str(path), name[0])
    return path


def test_a_worker_empties_the_first_queue_first(log: Path, tmp_path: Path) -> None:
    run_burst(tmp_path, *QUEUES)
    assert log.read_text() == "h" * 20 + "d" * 20 + "l" * 20


@pytest.mark.parametrize(
    "option",
    [
        ("--dequeue-strategy", "round_robin"),
        ("-ds", "round_robin"),
        ("--worker-class", "django_rqlite.worker.RoundRobinWorker"),
    ],
)
def test_a_worker_takes_in_turn(log: Path, tmp_path: Path, option: tuple[str, str]) -> None:
    run_burst(tmp_path, *QUEUES, *option)
    assert log.read_text() == "hdl" * 20


def test_a_turn_passes_over_what_is_empty_or_paused(log: Path, tmp_path: Path) -> None:
    get_queue("default").pause()
    get_queue("low").empty()
    get_queue("low").enqueue(sample_jobs.write, str(log), "l")
    run_burst(tmp_path, *QUEUES, "--dequeue-strategy", "round_robin")
    assert log.read_text() == "hl" + "h" * 19


@pytest.mark.parametrize(
    "option",
    [
        ("--dequeue-strategy", "random"),
        ("--worker-class", "django_rqlite.worker.RandomWorker"),
    ],
)
def test_a_worker_takes_at_random(log: Path, tmp_path: Path, option: tuple[str, str]) -> None:
    run_burst(tmp_path, *QUEUES, *option)
    ran = log.read_text()
    assert Counter(ran) == {"h": 20, "d": 20, "l": 20}
    # By chance it is otherwise less than once in a million million times.
    assert set(ran[:40]) == {"h", "d", "l"}
    assert ran not in ("h" * 20 + "d" * 20 + "l" * 20, "hdl" * 20)


def test_an_option_overrules_the_class(log: Path, tmp_path: Path) -> None:
    option = ("--worker-class", "django_rqlite.worker.RandomWorker", "-ds", "default")
    run_burst(tmp_path, *QUEUES, *option)
    assert log.read_text() == "h" * 20 + "d" * 20 + "l" * 20


def test_mistakes_show_at_once() -> None:
    assert "invalid choice: 'fair'" in manage("rqworker", "-ds", "fair", status=2).stderr
    assert RandomWorker.default_dequeue_strategy is DequeueStrategy.RANDOM
    with pytest.raises(ConfigurationError, match="'fair'"):
        RoundRobinWorker([get_queue()], dequeue_strategy="fair")


def test_with_scheduler_is_accepted(redis: redis_py.Redis, tmp_path: Path) -> None:
    assert "not needed" not in run_burst(tmp_path, "--with-scheduler")
    assert "--with-scheduler is not needed" in run_burst(tmp_path, "--with-scheduler", "-v", "2")

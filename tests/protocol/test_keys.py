"""The names of keys: in Python, in Lua, and in RQ 2.12 itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis as redis_py
from redis.crc import key_slot
from rq import Queue, Worker
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.results import get_key as results_key
from rq.suspension import WORKERS_SUSPENDED
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from django_rqlite.engine import scripts
from django_rqlite.protocol.keys import Keys

LUA = (Path(scripts.__file__).parent / "lua" / "shared" / "keys.lua").read_text()
FUNCTIONS = re.findall(r"^local function (\w+)_key\((.*?)\)", LUA, re.MULTILINE)

#: What no script needs.
ONLY_IN_PYTHON = {
    *("queue_name", "worker_name", "commands_channel", "life_channel"),
    *("scheduler", "scheduler_lock", "mirror_looked"),
    *("cron_entries", "cron_tick", "cron_schedulers", "cron_scheduler"),
}


def test_every_name_is_spelled_in_both_languages() -> None:
    methods = {name for name in vars(Keys) if not name.startswith("_") and name != "prefix"}
    assert {name for name, _ in FUNCTIONS} == methods - ONLY_IN_PYTHON


@pytest.mark.parametrize("prefix", ["rq:", "{mail}rq:", ""])
@pytest.mark.parametrize(("name", "parameters"), FUNCTIONS)
def test_lua_says_the_same_as_python(
    redis: redis_py.Redis, name: str, parameters: str, prefix: str
) -> None:
    arguments = ["an-id", "e1"][: len(parameters.split(",")) if parameters else 0]
    call = f"{name}_key({', '.join(map(repr, arguments))})"

    spelled = redis.eval(f"{LUA}\nreturn {call}", 0, prefix)

    method = getattr(Keys(prefix), name)
    assert spelled.decode() == (method(*arguments) if arguments else method)


def test_names_are_found_again_in_their_keys() -> None:
    keys = Keys("{mail}rq:")
    assert keys.queue_name(keys.queue("a:b")) == "a:b"
    assert keys.worker_name(keys.worker("web1.7")) == "web1.7"


def test_a_hash_tag_puts_all_keys_into_one_slot(redis: redis_py.Redis) -> None:
    keys = Keys("{mail}rq:")
    named = [keys.job("a"), keys.dependencies("a"), keys.queue("b"), keys.worker("c"), keys.queues]
    assert len({slot(key) for key in named}) == 1
    assert len({slot(key) for key in (Keys().job("a"), Keys().job("b"))}) == 2


def slot(key: str) -> int:
    return key_slot(key.encode())


def test_rq_uses_the_same_names(redis: redis_py.Redis) -> None:
    keys = Keys()
    queue, job = Queue("mail", connection=redis), Job("an-id", connection=redis)
    execution = Execution("e1", "an-id", connection=redis)
    assert queue.redis_queues_keys == keys.queues
    assert queue.key == keys.queue("mail")
    assert job.key == keys.job("an-id")
    assert job.dependents_key == keys.dependents("an-id")
    assert job.dependencies_key == keys.dependencies("an-id")
    assert results_key("an-id") == keys.results("an-id")
    assert execution.key == keys.execution("an-id", "e1")
    assert ExecutionRegistry("an-id", connection=redis).key == keys.executions("an-id")
    assert Worker.redis_workers_keys == REDIS_WORKER_KEYS == keys.workers
    assert keys.queue_workers("mail") == WORKERS_BY_QUEUE_KEY % "mail"
    assert keys.suspended == WORKERS_SUSPENDED
    assert f"{Worker.redis_worker_namespace_prefix}w.1" == keys.worker("w.1")


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        (StartedJobRegistry, "started"),
        (FinishedJobRegistry, "finished"),
        (FailedJobRegistry, "failed"),
        (DeferredJobRegistry, "deferred"),
        (ScheduledJobRegistry, "scheduled"),
        (CanceledJobRegistry, "canceled"),
    ],
)
def test_rq_uses_the_same_registries(
    redis: redis_py.Redis, registry: type[StartedJobRegistry], name: str
) -> None:
    assert registry("mail", connection=redis).key == getattr(Keys(), name)("mail")

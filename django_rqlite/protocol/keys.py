"""The names of all keys, each defined once.

The layout is that of RQ 2.12 (``rq/job.py``, ``rq/registry.py``, ``rq/results.py``,
``rq/executions.py``, ``rq/worker``), plus the list of failed jobs that RQ 0.5 shows, and our
own keys below ``x:``. ``engine/lua/shared/keys.lua`` has the same names for the scripts; a test
compares the two.

If the prefix has a hash tag, such as ``{mail}rq:``, all keys share one slot of a Redis or Valkey
Cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PREFIX = "rq:"

#: The name of the list that mirrors the failed jobs. No queue may have it.
FAILED_MIRROR = "failed"


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the keys below one prefix."""

    prefix: str = DEFAULT_PREFIX

    # Queues

    @property
    def queues(self) -> str:
        """Set of the full keys of all queues."""
        return f"{self.prefix}queues"

    def queue(self, name: str) -> str:
        """List of the ids of the jobs that wait. The next one is at the left."""
        return f"{self.prefix}queue:{name}"

    def queue_name(self, key: str) -> str:
        """The name of the queue with this full key (the reverse of :meth:`queue`)."""
        return key.removeprefix(f"{self.prefix}queue:")

    @property
    def failed_mirror(self) -> str:
        """List of the ids of all failed jobs, as in RQ 0.5. A mirror, not a queue."""
        return self.queue(FAILED_MIRROR)

    @property
    def unmirrored(self) -> str:
        """Sorted set of ids to remove from that list; score: when they were noted. Ours."""
        return f"{self.prefix}x:unmirrored"

    @property
    def mirror_looked(self) -> str:
        """How many entries of that list have been checked in this round. Ours."""
        return f"{self.prefix}x:mirror:looked"

    def intermediate(self, queue: str) -> str:
        """List of the ids that workers of RQ 2 have taken from a queue and not yet started."""
        return f"{self.prefix}queue:{queue}:intermediate"

    def first_seen(self, queue: str, job_id: str) -> str:
        """Unix seconds at which a worker first saw an id in that list."""
        return f"{self.intermediate(queue)}:first_seen:{job_id}"

    def scheduled_channel(self, queue: str) -> str:
        """Channel with the unix seconds at which a queue's next scheduled job may be due. Ours."""
        return f"{self.prefix}x:scheduled:{queue}"

    # Suspension

    @property
    def suspended(self) -> str:
        """Exists while all workers are suspended (RQ 2.12: rq/suspension.py)."""
        return f"{self.prefix}suspended"

    def paused(self, queue: str) -> str:
        """Exists while this queue is paused. Ours."""
        return f"{self.prefix}x:paused:{queue}"

    @property
    def suspension_channel(self) -> str:
        """Channel with a message whenever one of those keys is set or deleted. Ours."""
        return f"{self.prefix}x:suspension"

    # Registries: sorted sets of job ids. Every queue has one of each kind.

    def started(self, queue: str) -> str:
        """Sorted set of ``<id>:<execution>``; score: unix seconds at which the lease expires."""
        return f"{self.prefix}wip:{queue}"

    def finished(self, queue: str) -> str:
        """Sorted set; score: unix seconds at which the result expires, ``+inf`` for never."""
        return f"{self.prefix}finished:{queue}"

    def failed(self, queue: str) -> str:
        """Sorted set; score: unix seconds at which the job expires, ``-1`` for never."""
        return f"{self.prefix}failed:{queue}"

    def deferred(self, queue: str) -> str:
        """Sorted set of jobs that wait for other jobs; score: when they were deferred."""
        return f"{self.prefix}deferred:{queue}"

    def scheduled(self, queue: str) -> str:
        """Sorted set; score: unix seconds at which the job is due."""
        return f"{self.prefix}scheduled:{queue}"

    def canceled(self, queue: str) -> str:
        """Sorted set; score: unix seconds at which the job was canceled."""
        return f"{self.prefix}canceled:{queue}"

    # Jobs

    def job(self, job_id: str) -> str:
        """Hash of the job's fields."""
        return f"{self.prefix}job:{job_id}"

    def dependents(self, job_id: str) -> str:
        """Set of the ids of the jobs that wait for this job."""
        return f"{self.prefix}job:{job_id}:dependents"

    def dependencies(self, job_id: str) -> str:
        """Set of the ids that this job waits for. All releases of RQ write two colons."""
        return f"{self.prefix}job::{job_id}:dependencies"

    def results(self, job_id: str) -> str:
        """Stream of the outcomes of the job's executions."""
        return f"{self.prefix}results:{job_id}"

    def executions(self, job_id: str) -> str:
        """Sorted set of the ids of the job's running executions."""
        return f"{self.prefix}executions:{job_id}"

    def execution(self, job_id: str, execution_id: str) -> str:
        """Hash of one running execution."""
        return f"{self.prefix}execution:{job_id}:{execution_id}"

    @property
    def groups(self) -> str:
        """Set of the names of all groups."""
        return f"{self.prefix}groups"

    def group(self, name: str) -> str:
        """Set of the ids of a group's jobs."""
        return f"{self.prefix}group:{name}"

    def job_log(self, job_id: str) -> str:
        """List of the lines that a job logged, if they are kept. Ours."""
        return f"{self.prefix}x:log:{job_id}"

    def activity(self, queue: str, hour: int) -> str:
        """Hash: how many runs ended in each minute of an hour, for charts. Ours.

        Args:
            hour: unix seconds // 3600.
        """
        return f"{self.prefix}x:activity:{queue}:{hour}"

    @property
    def unnotified(self) -> str:
        """Hash of ended jobs some of whose dependents are not yet released or canceled. Ours."""
        return f"{self.prefix}x:untold"

    @property
    def scratch(self) -> str:
        """Scratch key that exists only while a script runs. Ours."""
        return f"{self.prefix}x:scratch"

    def unique(self, key: str) -> str:
        """The id of the job that holds a unique key. Expires when the key becomes free. Ours."""
        return f"{self.prefix}x:unique:{key}"

    # Cron

    @property
    def cron_entries(self) -> str:
        """Sorted set of the names of cron entries; score: unix seconds of the last announcement."""
        return f"{self.prefix}x:cron:entries"

    def cron_entry(self, name: str) -> str:
        """Hash of a cron entry, with its last and next ticks."""
        return f"{self.prefix}x:cron:entry:{name}"

    def cron_tick(self, tick: int | str, name: str) -> str:
        """The id of the job for this tick (unix seconds) of an entry."""
        return f"{self.prefix}x:cron:tick:{tick}:{name}"

    @property
    def cron_schedulers(self) -> str:
        """Sorted set of the names of ``rqcron`` processes, as in RQ; score: last heartbeat."""
        return f"{self.prefix}cron_schedulers"

    def cron_scheduler(self, name: str) -> str:
        """Hash of an ``rqcron`` process and its entries, as in RQ."""
        return f"{self.prefix}cron_scheduler:{name}"

    # RQ's own schedulers

    def scheduler_lock(self, queue: str) -> str:
        """The name of the scheduler of RQ that serves this queue; in old releases its pid."""
        return f"{self.prefix}scheduler-lock:{queue}"

    def scheduler(self, name: str) -> str:
        """Hash of such a scheduler."""
        return f"{self.prefix}scheduler:{name}"

    # Workers

    @property
    def workers(self) -> str:
        """Set of the full keys of all workers."""
        return f"{self.prefix}workers"

    def queue_workers(self, queue: str) -> str:
        """Set of the full keys of the workers that listen to this queue."""
        return f"{self.prefix}workers:{queue}"

    def worker(self, name: str) -> str:
        """Hash of the worker's record."""
        return f"{self.prefix}worker:{name}"

    def commands_channel(self, worker: str) -> str:
        """Channel with the commands for a worker (RQ 2.12: rq/command.py)."""
        return f"{self.prefix}pubsub:{worker}"

    def life_channel(self, instance: str) -> str:
        """Channel to which a live worker is subscribed. Nothing is published on it. Ours."""
        return f"{self.prefix}x:worker:{instance}"

    def worker_name(self, key: str) -> str:
        """The name of the worker with this full key (the reverse of :meth:`worker`)."""
        return key.removeprefix(f"{self.prefix}worker:")

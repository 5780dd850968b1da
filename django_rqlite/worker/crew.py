"""The parent's side of its children: fork ahead, hand over, collect, kill."""

from __future__ import annotations

import math
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from django.core.cache import caches
from django.db import connections

from ..engine.transitions import Claim, Hold
from ..execution import Failed, Outcome, Stopped
from ..protocol.records import JobRecord
from .child import QueueTraits, call_back, serve
from .frames import Assembler, BrokenFrameError, pack
from .reports import pack_claim, unpack_outcome

_CHUNK = 1 << 20

#: Seconds in which a child that has no job any more must have ended.
LEAVING = 10.0


@dataclass(slots=True)
class Assignment:
    """A job in the hands of a child."""

    hold: Hold
    record: JobRecord
    #: Monotonic time at which it was handed over.
    since: float
    #: Monotonic time at which the child is killed; None: never.
    kill_at: float | None
    #: Why the child was killed, once it was; '' until then.
    killed_because: str = ""
    #: Whether the job goes back to its queue when the child has died.
    give_back: bool = False
    #: Whether it was killed by order of a person, so that the job has stopped rather than failed.
    stopped: bool = False
    outcome: Outcome | None = None
    #: Whether its process died, so that it could call nothing back itself.
    died: bool = False
    #: Whether it was said that the execution no longer holds its job.
    lost: bool = False
    #: How often Redis would not store the outcome.
    refusals: int = 0


@dataclass(slots=True, eq=False)
class Child:
    """A forked process, waiting or at work."""

    pid: int
    channel: socket.socket
    assembler: Assembler = field(default_factory=Assembler)
    assignment: Assignment | None = None
    served: int = 0
    #: Monotonic time at which it is killed, since it should have ended; None: it is to stay.
    leave_by: float | None = None

    @property
    def leaving(self) -> bool:
        return self.leave_by is not None

    def let_go(self) -> None:
        """No more jobs for it: it will end by itself, or be killed after a while."""
        if self.leave_by is None:
            self.leave_by = time.monotonic() + LEAVING


class Crew:
    """All children of one worker.

    Args:
        selector: where the children's pipes are watched; their data is the :class:`Child`.
        traits: how jobs of each queue are made.
        foreign: file descriptors of the worker that children must close.
        jobs_per_child: after how many jobs a child ends; 0: never.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        traits: Mapping[str, QueueTraits],
        foreign: Callable[[], list[int]],
        jobs_per_child: int = 1,
    ) -> None:
        self._selector = selector
        self._traits = traits
        self._foreign = foreign
        self.jobs_per_child = jobs_per_child
        self._children: dict[int, Child] = {}

    def __len__(self) -> int:
        return len(self._children)

    @property
    def busy(self) -> list[Child]:
        """Children that have a job whose outcome is not known yet."""
        return [child for child in self._children.values() if _at_work(child)]

    def assignments(self) -> list[Assignment]:
        """All jobs whose outcomes are not known yet."""
        return [child.assignment for child in self.busy if child.assignment is not None]

    def spare(self) -> Child | None:
        """A child that waits for a job."""
        for child in self._children.values():
            if child.assignment is None and not child.leaving:
                return child
        return None

    def fork(self) -> Child:
        """Fork a child that waits.

        Raises:
            OSError: the system would make no process.
        """
        ours, theirs = socket.socketpair()
        child = self._fork(
            ours,
            lambda parent, foreign: serve(
                theirs, parent, foreign, self._traits, self.jobs_per_child
            ),
        )
        theirs.close()
        self._selector.register(ours, selectors.EVENT_READ, child)
        return child

    def call_back(self, queue: str, record: JobRecord, outcome: Failed | Stopped) -> None:
        """Have the callback of a job whose process has died called, in a process of its own.

        Raises:
            OSError: the system would make no process.
        """
        seconds = record.callback_time("stopped" if isinstance(outcome, Stopped) else "failure")
        if not seconds:
            return
        trait = self._traits[queue]
        ours, theirs = socket.socketpair()
        theirs.close()  # nothing is said
        child = self._fork(
            ours, lambda parent, foreign: call_back(parent, foreign, trait, record, outcome)
        )
        child.leave_by = time.monotonic() + seconds + LEAVING

    def _fork(self, channel: socket.socket, live: Callable[[int, list[int]], NoReturn]) -> Child:
        """Fork; ``live`` is the child's whole life.

        The parent holds no database or cache connection at this moment: two processes can't
        share one.
        """
        connections.close_all()
        caches.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        foreign = [*self._foreign(), channel.fileno()]
        foreign += [child.channel.fileno() for child in self._children.values()]
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            channel.close()
            raise
        if pid == 0:
            live(parent, foreign)
        try:
            os.setpgid(pid, pid)  # the child does so too; whoever comes first
        except (PermissionError, ProcessLookupError):
            pass
        child = self._children[pid] = Child(pid, channel)
        return child

    def hand_over(self, claim: Claim, record: JobRecord, allowed: float | None) -> None:
        """Give a claimed job to a child that waits, or to a new one.

        Args:
            allowed: seconds after which the child is killed; None: never.
        """
        assert claim.hold is not None
        message = pack(pack_claim(claim))
        while True:
            child = self.spare() or self.fork()
            try:
                child.channel.sendall(message)
                break
            except OSError:
                child.let_go()  # it died while it waited; it will be reaped
        now = time.monotonic()
        child.served += 1
        child.assignment = Assignment(
            claim.hold, record, now, None if allowed is None else now + allowed
        )

    def collect(self, child: Child) -> Assignment | None:
        """Read what a child has sent; give its job once the outcome is known.

        Bytes that are no report cost the child its life, and its job fails with that reason.
        """
        if child.pid not in self._children:
            return None  # buried already: its end was told of in the same breath as its report
        while True:
            try:
                data = child.channel.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except OSError:
                data = b""
            if not data:
                # The other end is closed: the child has ended, which reap() will tell of.
                self._ignore(child)
                return None
            assignment = child.assignment
            try:
                parts = child.assembler.feed(data)
                if parts is None:
                    continue
                if assignment is None or assignment.outcome is not None:
                    raise BrokenFrameError
                assignment.outcome = unpack_outcome(assignment.hold.execution, parts)
            except BrokenFrameError:
                self.kill(child, "it wrote into the pipe that its outcome should go through")
                return None
            child.assignment = None
            if self.jobs_per_child and child.served >= self.jobs_per_child:
                child.let_go()
            return assignment

    def reap(self) -> list[Assignment]:
        """Bury the children that have ended; give the jobs that died with them.

        Each has an outcome that says how, unless it is to be given back to its queue.
        """
        bereaved: list[Assignment] = []
        for child in list(self._children.values()):
            try:
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            except ChildProcessError:
                # Code imported by the worker has waited for our child; how it ended is not known.
                pid, status, usage = child.pid, 0, resource.getrusage(resource.RUSAGE_CHILDREN)
            if pid == 0:
                continue
            # What it reported with its last breath still waits in the pipe.
            assignment = self.collect(child) if child.assignment else None
            assignment = assignment or child.assignment
            self._ignore(child)
            child.channel.close()
            del self._children[child.pid]
            if assignment is not None:
                if assignment.outcome is None and not assignment.give_back:
                    assignment.outcome = _died(assignment, status, usage)
                    assignment.died = True
                bereaved.append(assignment)
        return bereaved

    def kill(
        self, child: Child, because: str, *, give_back: bool = False, stopped: bool = False
    ) -> None:
        """Kill a child and all that it started, at once.

        Args:
            because: completes "The job was killed because …".
            give_back: the job goes back to its queue instead of failing.
            stopped: the job was ended by order of a person.
        """
        child.leave_by = math.inf  # once is enough
        if child.assignment is not None and not child.assignment.killed_because:
            child.assignment.killed_because = because
            child.assignment.kill_at = None
            child.assignment.give_back = give_back
            child.assignment.stopped = stopped
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended by itself meanwhile; reap() will find out how

    def overdue(self, now: float) -> list[Child]:
        """Children that should have ended long ago, with or without their jobs."""
        return [child for child in self._children.values() if (_due(child) or math.inf) <= now]

    def next_due(self) -> float | None:
        """Monotonic time at which the next child becomes overdue."""
        times = [due for child in self._children.values() if (due := _due(child)) is not None]
        return min(times, default=None)

    def dismiss(self) -> None:
        """Let the children that wait go."""
        for child in self._children.values():
            if child.assignment is None:
                child.let_go()
                self._ignore(child)
                try:
                    child.channel.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has ended already

    def _ignore(self, child: Child) -> None:
        try:
            self._selector.unregister(child.channel)
        except KeyError:
            pass  # no longer watched


def _due(child: Child) -> float | None:
    """Monotonic time at which the child is killed."""
    return child.assignment.kill_at if child.assignment else child.leave_by


def _at_work(child: Child) -> bool:
    return child.assignment is not None and child.assignment.outcome is None


def _died(assignment: Assignment, status: int, usage: resource.struct_rusage) -> Outcome:
    """The outcome of a job whose process ended without one."""
    if assignment.stopped:
        return Stopped("Job stopped by user, work-horse terminated.")  # RQ's words
    peak = usage.ru_maxrss // (1024 * 1024 if sys.platform == "darwin" else 1024)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = "a signal without a name"
        how = f"was killed by {name} (signal {number})"
    else:
        how = f"ended by itself with exit code {os.WEXITSTATUS(status)}"
    if assignment.killed_because:
        headline = f"The job was killed because {assignment.killed_because}"
        hint = ""
    else:
        headline = f"The job's process {how} before it could report an outcome"
        hint = (
            " The kernel does so when memory runs out."
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            else " Something in the job ended the whole process."
        )
    return Failed(f"{headline}.{hint} Its peak memory was {peak} MiB.", headline)

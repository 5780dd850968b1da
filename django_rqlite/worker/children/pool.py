"""The worker's side of its children: fork them ahead, assign jobs, read reports, kill."""

from __future__ import annotations

import math
import selectors
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ...engine.engine import Hold
from ...execution.outcome import Failed, Stopped
from ...process import memory
from ...protocol.records import JobRecord
from .assignment import Assignment
from .child import child_main
from .exit_status import outcome_of
from .fork_server import ForkFailed, ForkServer
from .framing import Assembler, BrokenFrameError
from .job_factory import JobFactory
from .messages import pack_callback, pack_run, unpack_report

_CHUNK = 1 << 20

#: Seconds in which a child must end once it gets no more jobs.
EXIT_TIMEOUT = 10.0


@dataclass(slots=True, eq=False)
class Child:
    """A process, idle or busy.

    Attributes:
        number: Its number with the fork server.
        channel: The worker's end of the pipe.
        has_worked: Whether it was given a job.
        watched: Whether the selector watches its pipe.
        exit_by: Monotonic time at which it is killed if it has not ended; None: it is to stay.
    """

    number: int
    channel: socket.socket
    assembler: Assembler = field(default_factory=Assembler)
    assignment: Assignment | None = None
    has_worked: bool = False
    watched: bool = True
    exit_by: float | None = None

    @property
    def busy(self) -> bool:
        """Whether it has a job whose outcome is not known yet."""
        return self.assignment is not None and self.assignment.outcome is None

    @property
    def kill_at(self) -> float | None:
        """Monotonic time at which it is killed."""
        return self.assignment.kill_at if self.assignment else self.exit_by

    def expect_exit(self, seconds: float = EXIT_TIMEOUT) -> None:
        """Set the time at which it is killed unless it has ended by itself."""
        if self.exit_by is None:
            self.exit_by = time.monotonic() + seconds


class ChildPool:
    """All children of one worker.

    Args:
        selector: Watches the children's pipes, with the :class:`Child` as their data, and the fork
            server, with this pool as its data.
        factories: Make the jobs, by the names of the queues.
        jobs_per_child: After how many jobs a child ends; 0: never.
        memory_per_child: MiB of resident memory above which a child ends after its job; None: any.
        huge_pages: See :class:`ForkServer`.
        heed_sigterm: Whether SIGTERM ends a child.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        factories: Mapping[str, JobFactory],
        jobs_per_child: int = 1,
        memory_per_child: int | None = None,
        *,
        huge_pages: bool = True,
        heed_sigterm: bool = True,
    ) -> None:
        self._selector = selector
        self.jobs_per_child = jobs_per_child
        self._server = ForkServer(
            partial(child_main, factories, jobs_per_child, memory_per_child, heed_sigterm),
            huge_pages=huge_pages,
        )
        self._children: dict[int, Child] = {}
        #: Idle children. The one that has waited longest, and so has warmed up, comes first.
        self._spares: dict[int, Child] = {}
        #: Peak resident memory, in bytes, of the last child that ended after a job; 0: unknown.
        self.peak = 0

    def start(self, to_close: Iterable[int]) -> None:
        """Start the fork server.

        Args:
            to_close: Descriptors that it and the children must not hold.

        Raises:
            ForkServerError: The system could not make a process.
        """
        self._server.start(to_close)
        self._selector.register(self._server, selectors.EVENT_READ, self)

    def stop(self) -> None:
        """End the fork server and all children that are left."""
        self._server.stop()

    @property
    def server_pid(self) -> int:
        """The process id of the fork server; 0 if it does not run."""
        return self._server.pid

    def __len__(self) -> int:
        return len(self._children)

    @property
    def busy(self) -> list[Child]:
        """Children that have a job whose outcome is not known yet."""
        return [child for child in self._children.values() if child.busy]

    def assignments(self) -> list[Assignment]:
        """Return all jobs whose outcomes are not known yet."""
        return [child.assignment for child in self.busy if child.assignment is not None]

    @property
    def spares(self) -> int:
        """How many children are idle."""
        return len(self._spares)

    def fork(self) -> Child:
        """Request a child and return it. It can be given a job at once.

        Raises:
            OSError: There are no more file descriptors.
            ForkServerError: The fork server has died.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            number = self._server.fork(theirs)
        child = self._children[number] = self._spares[number] = Child(number, ours)
        self._selector.register(ours, selectors.EVENT_READ, child)
        return child

    def assign(self, hold: Hold, record: JobRecord, allowed: float | None) -> None:
        """Give a claimed job to an idle child, or to a new one.

        Args:
            allowed: Seconds after which the child is killed; None: never.

        Raises:
            OSError: There are no more file descriptors.
            ForkServerError: The fork server has died.
        """
        child = self._instruct(pack_run(hold.queue, hold.execution, record))
        kill_at = None if allowed is None else time.monotonic() + allowed
        child.assignment = Assignment(hold, record, kill_at)
        child.has_worked = True

    def call_back(self, queue: str, record: JobRecord, outcome: Failed | Stopped) -> None:
        """Tell a child to call the callback of a job whose own process has died.

        Raises:
            OSError: There are no more file descriptors.
            ForkServerError: The fork server has died.
        """
        seconds = record.callback_time("stopped" if isinstance(outcome, Stopped) else "failure")
        if seconds:
            child = self._instruct(pack_callback(queue, record, outcome))
            child.expect_exit(seconds + EXIT_TIMEOUT)

    def _instruct(self, instruction: bytes) -> Child:
        while True:
            child = next(iter(self._spares.values()), None) or self.fork()
            del self._spares[child.number]
            try:
                child.channel.sendall(instruction)
                return child
            except OSError:
                child.expect_exit()  # it has died while idle; reap() will return it

    def collect(self, child: Child) -> Assignment | None:
        """Read a child's messages. Return its job once the outcome is known, else None.

        A child that sends anything but a report is killed, and its job fails with that reason.
        """
        if child.number not in self._children:
            return None  # reap() has removed it in the same turn
        while True:
            try:
                data = child.channel.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except OSError:
                data = b""
            if not data:
                # The child has ended, so its end of the pipe is closed. reap() will return it.
                self._unwatch(child)
                return None
            assignment = child.assignment
            try:
                parts = child.assembler.feed(data)
                if parts is None:
                    continue
                if assignment is None or assignment.outcome is not None:
                    raise BrokenFrameError
                assignment.outcome, stays = unpack_report(assignment.hold.execution, parts)
            except BrokenFrameError:
                self.kill(child, "it wrote into the pipe that its outcome should go through")
                return None
            child.assignment = None
            if stays:
                self._spares[child.number] = child
            else:
                self._unwatch(child)  # reap() will return it; its closed pipe need not wake us
                child.expect_exit()
            return assignment

    def reap(self) -> tuple[list[Assignment], OSError | None]:
        """Remove the children that have ended, and those that could not be forked.

        Returns:
            Their jobs, and the reason why a child could not be forked, or None. Each job has an
            outcome, unless it is to be put back into its queue.

        Raises:
            ForkServerError: The fork server has died, and all children with it.
        """
        ended: list[Assignment] = []
        trouble: OSError | None = None
        for message in self._server.read():
            child = self._children[message.number]
            if child.has_worked and not isinstance(message, ForkFailed):
                self.peak = memory.peak(message.peak)
            # Its last report may still be in the pipe.
            assignment = self.collect(child) if child.assignment else None
            assignment = assignment or child.assignment
            self._unwatch(child)
            self._spares.pop(child.number, None)
            child.channel.close()
            del self._children[child.number]
            if isinstance(message, ForkFailed):
                trouble = OSError(message.errno, "fork")
            elif assignment is not None and not assignment.outcome and not assignment.put_back:
                assignment.outcome = outcome_of(assignment, message.status, message.peak)
                assignment.callback_due = True
            if assignment is not None:
                ended.append(assignment)
        return ended, trouble

    def kill(
        self, child: Child, reason: str, *, put_back: bool = False, stopped: bool = False
    ) -> None:
        """Kill a child and all that it started, at once.

        Args:
            reason: Completes "The job was killed because …".
            put_back: Whether the job goes back to its queue instead of failing.
            stopped: Whether a person asked for it, so that the job is stopped and not failed.
        """
        child.exit_by = math.inf  # one signal is enough
        self._spares.pop(child.number, None)
        if child.assignment is not None and not child.assignment.kill_reason:
            child.assignment.kill_reason = reason
            child.assignment.kill_at = None
            child.assignment.put_back = put_back
            child.assignment.stopped = stopped
        self._server.kill(child.number)

    def abandon(self) -> list[Assignment]:
        """Remove all children, after the fork server has died and they with it.

        Returns:
            Jobs whose outcomes were reported. The others stay claimed until their leases expire,
            as if the worker had been killed.
        """
        reported = [self.collect(child) for child in self._children.values() if child.busy]
        for child in self._children.values():
            self._unwatch(child)
            child.channel.close()
        self._children.clear()
        self._spares.clear()
        return [assignment for assignment in reported if assignment is not None]

    def overdue(self, now: float) -> list[Child]:
        """Return the children to be killed by now."""
        return [child for child in self._children.values() if (child.kill_at or math.inf) <= now]

    def next_kill_at(self) -> float | None:
        """Return the monotonic time at which the next child is to be killed; None: never."""
        times = [at for child in self._children.values() if (at := child.kill_at) is not None]
        return min(times, default=None)

    def dismiss_idle(self) -> None:
        """Let the children that have no job end."""
        for child in self._children.values():
            if child.assignment is None:
                child.expect_exit()
                self._unwatch(child)
                try:
                    child.channel.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has ended already
        self._spares.clear()

    def _unwatch(self, child: Child) -> None:
        if child.watched:
            child.watched = False
            self._selector.unregister(child.channel)

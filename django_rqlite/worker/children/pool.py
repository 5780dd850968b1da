"""The parent's side of its children: have them made ahead, hand over, collect, kill."""

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
from ...process.memory import peak
from ...protocol.records import JobRecord
from .assignment import Assignment
from .child import QueueTraits, live
from .exit_status import outcome_of
from .fork_server import ForkServer, NeverMade
from .framing import Assembler, BrokenFrameError
from .messages import pack_callback, pack_run, unpack_report

_CHUNK = 1 << 20

#: Seconds in which a child that has no job any more must have ended.
LEAVING = 10.0


@dataclass(slots=True, eq=False)
class Child:
    """A process, waiting or at work.

    Attributes:
        number: what the fork server knows it by.
    """

    number: int
    channel: socket.socket
    assembler: Assembler = field(default_factory=Assembler)
    assignment: Assignment | None = None
    #: Whether it was given a job.
    worked: bool = False
    #: Whether the selector looks at its pipe.
    watched: bool = True
    #: Monotonic time at which it is killed, since it should have ended; None: it is to stay.
    leave_by: float | None = None

    @property
    def at_work(self) -> bool:
        return self.assignment is not None and self.assignment.outcome is None

    def let_go(self, seconds: float = LEAVING) -> None:
        """No more jobs for it: it will end by itself, or be killed after a while."""
        if self.leave_by is None:
            self.leave_by = time.monotonic() + seconds


class ChildPool:
    """All children of one worker.

    Args:
        selector: where the children's pipes are watched, with the :class:`Child` as their data;
            and the fork server, with this object as its data.
        traits: how jobs of each queue are made.
        jobs_per_child: after how many jobs a child ends; 0: never.
        memory_per_child: MiB of resident memory above which a child ends after its job; None: any.
        huge_pages: see :class:`ForkServer`.
        heed_sigterm: whether a child ends at a SIGTERM.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        traits: Mapping[str, QueueTraits],
        jobs_per_child: int = 1,
        memory_per_child: int | None = None,
        *,
        huge_pages: bool = True,
        heed_sigterm: bool = True,
    ) -> None:
        self._selector = selector
        self.jobs_per_child = jobs_per_child
        self._server = ForkServer(
            partial(live, traits, jobs_per_child, memory_per_child, heed_sigterm),
            huge_pages=huge_pages,
        )
        self._children: dict[int, Child] = {}
        #: Those that wait for a job; the one that has waited longest, and is ready, comes first.
        self._spares: dict[int, Child] = {}
        #: Bytes of resident memory that the last process which had a job used at the most; 0: none
        #: has ended yet.
        self.peak = 0

    def start(self, foreign: Iterable[int]) -> None:
        """Start the fork server.

        Args:
            foreign: descriptors that it and the children must not hold.

        Raises:
            ForkServerError: the system would make no process.
        """
        self._server.start(foreign)
        self._selector.register(self._server, selectors.EVENT_READ, self)

    def stop(self) -> None:
        """End, with all that are left."""
        self._server.stop()

    @property
    def server_pid(self) -> int:
        """Process id of the fork server; 0: there is none."""
        return self._server.pid

    def __len__(self) -> int:
        return len(self._children)

    @property
    def busy(self) -> list[Child]:
        """Children that have a job whose outcome is not known yet."""
        return [child for child in self._children.values() if child.at_work]

    def assignments(self) -> list[Assignment]:
        """All jobs whose outcomes are not known yet."""
        return [child.assignment for child in self.busy if child.assignment is not None]

    @property
    def spares(self) -> int:
        """How many children wait for a job."""
        return len(self._spares)

    def fork(self) -> Child:
        """Have a child made that waits. It can be given a job at once.

        Raises:
            OSError: there are no more file descriptors.
            ForkServerError: nobody is left to make it.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            number = self._server.fork(theirs)
        child = self._children[number] = self._spares[number] = Child(number, ours)
        self._selector.register(ours, selectors.EVENT_READ, child)
        return child

    def hand_over(self, hold: Hold, record: JobRecord, allowed: float | None) -> None:
        """Give a claimed job to a child that waits, or to a new one.

        Args:
            allowed: seconds after which the child is killed; None: never.
        """
        child = self._tell(pack_run(hold.queue, hold.execution, record))
        kill_at = None if allowed is None else time.monotonic() + allowed
        child.assignment = Assignment(hold, record, kill_at)
        child.worked = True

    def call_back(self, queue: str, record: JobRecord, outcome: Failed | Stopped) -> None:
        """Have the callback of a job whose process has died called, in a process of its own.

        Raises:
            OSError: there are no more file descriptors.
        """
        seconds = record.callback_time("stopped" if isinstance(outcome, Stopped) else "failure")
        if seconds:
            self._tell(pack_callback(queue, record, outcome)).let_go(seconds + LEAVING)

    def _tell(self, order: bytes) -> Child:
        while True:
            child = next(iter(self._spares.values()), None) or self.fork()
            del self._spares[child.number]
            try:
                child.channel.sendall(order)
                return child
            except OSError:
                child.let_go()  # it died while it waited; its death will be told of

    def collect(self, child: Child) -> Assignment | None:
        """Read what a child has sent; give its job once the outcome is known.

        Bytes that are no report cost the child its life, and its job fails with that reason.
        """
        if child.number not in self._children:
            return None  # buried already: its end was told of in the same breath as its report
        while True:
            try:
                data = child.channel.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except OSError:
                data = b""
            if not data:
                # The other end is closed: the child has ended, which bury() will tell of.
                self._ignore(child)
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
                self._ignore(child)  # bury() will tell of its end; the closed pipe need not
                child.let_go()
            return assignment

    def bury(self) -> tuple[list[Assignment], OSError | None]:
        """Take leave of the children that have ended, and of those that could not be made.

        Returns:
            the jobs that died with them, each with an outcome that says how, unless it is to be
            given back to its queue; and why the system would make no process, if so.

        Raises:
            ForkServerError: all have died.
        """
        bereaved: list[Assignment] = []
        trouble: OSError | None = None
        for message in self._server.read():
            child = self._children[message.number]
            if child.worked and not isinstance(message, NeverMade):
                self.peak = peak(message.peak)
            # What it reported with its last breath still waits in the pipe.
            assignment = self.collect(child) if child.assignment else None
            assignment = assignment or child.assignment
            self._ignore(child)
            self._spares.pop(child.number, None)
            child.channel.close()
            del self._children[child.number]
            if isinstance(message, NeverMade):
                trouble = OSError(message.errno, "fork")
            elif assignment is not None and not assignment.outcome and not assignment.give_back:
                assignment.outcome = outcome_of(assignment, message.status, message.peak)
                assignment.died = True
            if assignment is not None:
                bereaved.append(assignment)
        return bereaved, trouble

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
        self._spares.pop(child.number, None)
        if child.assignment is not None and not child.assignment.killed_because:
            child.assignment.killed_because = because
            child.assignment.kill_at = None
            child.assignment.give_back = give_back
            child.assignment.stopped = stopped
        self._server.kill(child.number)

    def abandon(self) -> list[Assignment]:
        """Give all children up, since the fork server has died and they with it.

        Returns:
            jobs whose outcomes had been reported. The others stay held until their leases end, as
            if the worker had been killed.
        """
        reported = [self.collect(child) for child in self._children.values() if child.at_work]
        for child in self._children.values():
            self._ignore(child)
            child.channel.close()
        self._children.clear()
        self._spares.clear()
        return [assignment for assignment in reported if assignment is not None]

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
        self._spares.clear()

    def _ignore(self, child: Child) -> None:
        if child.watched:
            child.watched = False
            self._selector.unregister(child.channel)


def _due(child: Child) -> float | None:
    """Monotonic time at which the child is killed."""
    return child.assignment.kill_at if child.assignment else child.leave_by

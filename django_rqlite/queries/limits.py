"""The most that one call reads of each kind, so that the cost of a page has a limit."""

from __future__ import annotations

#: Queues that are not in the settings, workers, and cron entries: the most of each.
MOST_FOUND = 500

#: Outcomes of one job.
RESULTS_SHOWN = 50

#: Dependents of one job, and its dependencies.
DEPENDENTS_SHOWN = 50

#: Dependencies of one job in a list of jobs.
PARENTS_IN_LIST = 3

#: Lines of one job's log.
LOG_SHOWN = 1000

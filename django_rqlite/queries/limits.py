"""How much of each kind one call reads at most, so that no page depends on the sizes in Redis."""

from __future__ import annotations

#: Queues that the settings do not name, workers, and cron entries.
MOST_FOUND = 500

#: Outcomes of one job.
RESULTS_SHOWN = 50

#: Dependents of one job, and its dependencies.
DEPENDENTS_SHOWN = 50

#: Dependencies of one job in a list of jobs.
PARENTS_IN_LIST = 3

#: Lines of one job's log.
LOG_SHOWN = 1000

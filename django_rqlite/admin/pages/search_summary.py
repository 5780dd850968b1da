"""What a search has read of each place, and what its counts mean, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...queries.job_search import Searched
from .. import labels
from ..formatting import shortened

#: Sentences about places of which only a part was read.
MAX_SENTENCES = 20


def summary(searched: Sequence[Searched], matches: int, *, newest: bool) -> list[str]:
    """How much of which places was searched, and how many jobs match."""
    in_part = [each for each in searched if each.read < each.total]
    whole = sum(each.read for each in searched if each.read >= each.total)
    sentences = [_in_part(each, newest=newest) for each in in_part[:MAX_SENTENCES]]
    if more := len(in_part[MAX_SENTENCES:]):
        sentences.append(
            ngettext(
                "%(count)s more place was searched in part.",
                "%(count)s more places were searched in part.",
                more,
            )
            % {"count": f"{more:,}"}
        )
    if whole or not in_part:
        sentence = (
            ngettext(
                "Searched the one job of all other places.",
                "Searched all %(count)s jobs of all other places.",
                whole,
            )
            if in_part
            else ngettext("Searched the one job.", "Searched all %(count)s jobs.", whole)
        )
        sentences.append(sentence % {"count": f"{whole:,}"})
    matching = (
        ngettext("%(count)s of those matches.", "%(count)s of those match.", matches)
        if in_part
        else ngettext("%(count)s matches.", "%(count)s match.", matches)
    )
    sentences.append(matching % {"count": f"{matches:,}"})
    return sentences


def _in_part(searched: Searched, *, newest: bool) -> str:
    sentence = (
        _("Searched the newest %(read)s of %(total)s %(state)s jobs of “%(queue)s”.")
        if newest
        else _("Searched the oldest %(read)s of %(total)s %(state)s jobs of “%(queue)s”.")
    )
    return sentence % {
        "read": f"{searched.read:,}",
        "total": f"{searched.total:,}",
        "state": str(labels.PLACES[searched.place]).lower(),
        "queue": shortened(searched.queue, 100),
    }


def group_note(searched: Sequence[Searched], *, newest: bool) -> str:
    """What the counts of groups leave out, if not all jobs were searched."""
    sentence = (
        _(
            "The groups count only the newest %(read)s of %(total)s failed jobs. With older jobs, "
            "a group may be larger or stand higher, and there may be other groups."
        )
        if newest
        else _(
            "The groups count only the oldest %(read)s of %(total)s failed jobs. With newer jobs, "
            "a group may be larger or stand higher, and there may be other groups."
        )
    )
    read, total = sum(each.read for each in searched), sum(each.total for each in searched)
    return sentence % {"read": f"{read:,}", "total": f"{total:,}"}

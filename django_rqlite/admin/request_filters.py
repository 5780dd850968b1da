"""What addresses and forms say of places and pages, checked."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..protocol.places import Place
from . import formatting as shown
from .sources import Gone


def place_named(place: str) -> Place:
    """The place that an address names.

    Raises:
        Gone: there is none of that name.
    """
    try:
        return Place(place)
    except ValueError:
        raise Gone(
            _("A queue has no “%(name)s”; it has %(names)s.")
            % {"name": shown.shortened(place, 40), "names": ", ".join(Place)}
        ) from None


def page_number(wanted: str, *, least: int) -> int:
    """The number of a page that an address says.

    Raises:
        Gone: it is none.
    """
    # Ten digits are more than any list has, and int() refuses thousands of them.
    if not (wanted.isascii() and wanted.isdigit()) or len(wanted) > 10 or int(wanted) < least:
        raise Gone(_("“%(page)s” is no number of a page.") % {"page": shown.shortened(wanted, 40)})
    return int(wanted)

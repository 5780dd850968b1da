"""The figures for other programs: ``stats.json``, and ``metrics`` for Prometheus.

Who asks shows ``RQ_API_TOKEN`` in a header, or is a member of the staff who may view queues or
change them.
django-rq takes the token in the address as well. That is left out: addresses end up in logs.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from .. import conf
from ..exceptions import ConfigurationError
from .statistics import get_statistics

_READ = ("GET", "HEAD")
_UNKNOWN = (
    "Send the header 'Authorization: Bearer <token>' with the RQ_API_TOKEN of the settings, or log"
    " in as a member of the staff."
)
#: As in Django's admin, who may change may view.
_PERMISSIONS = ("django_rqlite.view_queue", "django_rqlite.change_queue")
_FORBIDDEN = "You need the permission django_rqlite.view_queue; an administrator can grant it."
_NO_CLIENT = "prometheus_client is not installed. Run: pip install 'django-rqlite[prometheus]'\n"

View = Callable[[HttpRequest], HttpResponse]


def _guarded(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            response = _refusal(request) or view(request)
        except ConfigurationError as error:
            response = _error(503, str(error))
        response["Cache-Control"] = "no-store"
        return response

    # Django's LoginRequiredMiddleware would send those who have a token to a form.
    return login_not_required(guarded)


@_guarded
def stats(request: HttpRequest) -> HttpResponse:
    """What ``get_statistics()`` returns; with status 503 where no server could be asked."""
    found = get_statistics()
    down = bool(found["queues"]) and all(queue["error"] for queue in found["queues"])
    response = JsonResponse(found, status=503 if down else 200)
    if down:
        # Programs ask again and again. Django would log an error each time, which is mailed to
        # ADMINS; this attribute tells it that it has been logged.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@_guarded
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics, or those of ``?name[]=...``."""
    try:
        from .prometheus import exposition
    except ModuleNotFoundError:
        return HttpResponse(_NO_CLIENT, status=501, content_type="text/plain; charset=utf-8")
    text, content_type = exposition(
        request.headers.get("Accept", ""), request.GET.getlist("name[]")
    )
    return HttpResponse(text, content_type=content_type)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """The answer to those who may not ask, or not so; else None."""
    if not _has_token(request):
        user = getattr(request, "user", None)  # there is none without Django's middleware
        if user is None or not (user.is_active and user.is_staff):
            response = _error(401, _UNKNOWN)
            response["WWW-Authenticate"] = "Bearer"
            return response
        if not any(map(user.has_perm, _PERMISSIONS)):
            return _error(403, _FORBIDDEN)
    return None if request.method in _READ else HttpResponseNotAllowed(_READ)


def _has_token(request: HttpRequest) -> bool:
    token = conf.api_token()
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(_bytes_of(given.strip()), token.encode("utf-8", "surrogatepass"))


def _bytes_of(header: str) -> bytes:
    """What came over the wire: servers hand each byte over as one character."""
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "surrogatepass")


def _error(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"error": sentence}, status=status)

"""The views for other programs: ``stats.json``, and ``metrics`` for Prometheus.

A request needs ``RQ_API_TOKEN`` in a header, or a member of the staff who may view or change
queues. django-rq also accepts the token in the address. This package does not, because addresses
end up in logs.
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
_UNAUTHENTICATED = (
    "Send the header 'Authorization: Bearer <token>' with the RQ_API_TOKEN of the settings, or log"
    " in as a member of the staff."
)
#: As in Django's admin, the permission to change includes the one to view.
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

    # Django's LoginRequiredMiddleware would redirect requests with a token to the login form.
    return login_not_required(guarded)


@_guarded
def stats(request: HttpRequest) -> HttpResponse:
    """The result of ``get_statistics()``, with status 503 if no server answered."""
    found = get_statistics()
    down = bool(found["queues"]) and all(queue["error"] for queue in found["queues"])
    response = JsonResponse(found, status=503 if down else 200)
    if down:
        # Programs repeat their requests. Django logs each 5xx as an error and mails it to ADMINS.
        # This attribute says that it has been logged.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@_guarded
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics, or those that ``?name[]=...`` names."""
    try:
        from .prometheus import exposition
    except ModuleNotFoundError:
        return HttpResponse(_NO_CLIENT, status=501, content_type="text/plain; charset=utf-8")
    text, content_type = exposition(
        request.headers.get("Accept", ""), request.GET.getlist("name[]")
    )
    return HttpResponse(text, content_type=content_type)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """The response to a request that is not permitted; None if it is permitted."""
    if not _has_token(request):
        user = getattr(request, "user", None)  # missing without Django's middleware
        if user is None or not (user.is_active and user.is_staff):
            response = _error(401, _UNAUTHENTICATED)
            response["WWW-Authenticate"] = "Bearer"
            return response
        if not any(map(user.has_perm, _PERMISSIONS)):
            return _error(403, _FORBIDDEN)
    return None if request.method in _READ else HttpResponseNotAllowed(_READ)


def _has_token(request: HttpRequest) -> bool:
    expected = conf.api_token()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not expected or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(_bytes_of(token.strip()), expected.encode("utf-8", "surrogatepass"))


def _bytes_of(header: str) -> bytes:
    """The bytes of a header. Servers pass each byte as one character."""
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "surrogatepass")


def _error(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"error": sentence}, status=status)

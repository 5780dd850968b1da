"""The page for visitors while Redis does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

if TYPE_CHECKING:
    from collections.abc import Callable


class RedisUnavailableMiddleware:
    """Answers 503 with the reason, instead of 500, if Redis cannot be reached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Handle errors of the connection, and leave all others to Django."""
        # django_rqlite's RedisUnavailableError is a redis.ConnectionError, too.
        if not isinstance(exception, redis.ConnectionError | redis.TimeoutError):
            return None
        if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
            return JsonResponse({"error": str(exception)}, status=503)
        context = {"reason": str(exception)}
        return render(request, "wordcount/unavailable.html", context, status=503)

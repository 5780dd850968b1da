"""The word-count page, the sample jobs, and the answers to the page's script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from django_rqlite import get_queue
from wordcount.forms import CountWordsForm
from wordcount.jobs import count_words_at_url
from wordcount.latest import Enqueued, remember, remembered
from wordcount.samples import SAMPLES

if TYPE_CHECKING:
    from django_rqlite import Job

SEED_TEXT = """\
A page needs something that takes a while: a report, a thumbnail, a word count.
The visitor should not have to wait for it. So the view enqueues a job, which is
stored in Redis, and answers at once.

A worker takes the job. It runs the same Django project, started by manage.py rqworker,
so it can import the function that the job names. It forks: the job runs in a process
of its own, with connections of its own, and cannot harm the worker or other jobs.

When the function returns, its result is stored. When it raises, the traceback is stored.
The page asks for the outcome and shows it, and the worker takes the next job.

This text is here to be counted. Words are separated by white space.
"""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Show the form and the latest jobs. A posted form enqueues a count."""
    seed_page = request.build_absolute_uri(reverse("seed-page"))
    form = CountWordsForm(request.POST or None, initial={"url": seed_page})
    if request.method == "POST" and form.is_valid():
        url = form.cleaned_data["url"]
        job = get_queue("default").enqueue(count_words_at_url, url)
        remember(request.session, Enqueued(job.id, "default", f"Words at {url}", unit="words"))
        return redirect("index")
    states = [enqueued.look_up() for enqueued in remembered(request.session)]
    context = {
        "form": form,
        "samples": SAMPLES,
        "states": states,
        "all_ended": all(state.ended for state in states),
    }
    # An invalid form is an error, for clients that look only at the status code.
    return render(request, "wordcount/index.html", context, status=422 if form.errors else 200)


@require_POST
def enqueue_sample(request: HttpRequest, name: str) -> HttpResponse:
    """Enqueue the sample job of this name."""
    if name not in SAMPLES:
        raise Http404(f"There is no sample job {name!r}.")
    sample = SAMPLES[name]
    job: Job = get_queue(sample.queue).enqueue(sample.function, *sample.args, **sample.options)
    remember(request.session, Enqueued(job.id, sample.queue, sample.label))
    return redirect("index")


@never_cache
@require_GET
def status(request: HttpRequest, job_id: str) -> JsonResponse:
    """Answer with the state of one of this visitor's jobs, for the page's script."""
    for enqueued in remembered(request.session):
        if enqueued.job_id == job_id:
            return JsonResponse(enqueued.look_up().as_json())
    raise Http404("This job is not among your latest.")


@require_GET
def seed_page(request: HttpRequest) -> HttpResponse:
    """A page to count without the internet, in plain text, so that the count is easy to check."""
    return HttpResponse(SEED_TEXT, content_type="text/plain; charset=utf-8")

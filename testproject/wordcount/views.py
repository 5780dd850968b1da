"""The word-count page, its sample jobs, and the answers to its script."""

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
A page asks for something that takes a while: a report, a thumbnail, a word count.
The visitor should not have to wait for it, so the view writes down what is to be done,
hands the note to Redis, and answers at once.

A worker reads the note. It is the same Django project, started by manage.py rqworker,
so that it can import the function the note names. It forks: the job runs in a process
of its own, with its own connections, and whatever happens there happens to nobody else.

When the job returns, its result is written beside the note. When it raises, the traceback is.
Either way the next note is waiting, and the page that asked can show what came out.

This text is here to be counted. Words are what spaces and line ends separate.
"""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The form; posted, it enqueues the count and comes back to show it."""
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
    # A form that was refused is no success to whoever reads only the status code.
    return render(request, "wordcount/index.html", context, status=422 if form.errors else 200)


@require_POST
def enqueue_sample(request: HttpRequest, name: str) -> HttpResponse:
    """Enqueue the sample job of that name."""
    if name not in SAMPLES:
        raise Http404(f"There is no sample job {name!r}.")
    sample = SAMPLES[name]
    job: Job = get_queue(sample.queue).enqueue(sample.function, *sample.args, **sample.options)
    remember(request.session, Enqueued(job.id, sample.queue, sample.label))
    return redirect("index")


@never_cache
@require_GET
def status(request: HttpRequest, job_id: str) -> JsonResponse:
    """The state of one of this visitor's jobs, for the page's script."""
    for enqueued in remembered(request.session):
        if enqueued.job_id == job_id:
            return JsonResponse(enqueued.look_up().as_json())
    raise Http404("This job is not among your latest.")


@require_GET
def seed_page(request: HttpRequest) -> HttpResponse:
    """A page to count without the internet: plain text, so that the count can be checked by eye."""
    return HttpResponse(SEED_TEXT, content_type="text/plain; charset=utf-8")

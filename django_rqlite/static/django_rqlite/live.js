// Keeps a page of the admin up to date: fetches its own address again and again, and brings the
// regions marked data-live to what the answer shows (renew.js). Words come from the template, so
// that they are translated.
'use strict';
{
    const settings = document.getElementById('rqlite-live');
    const regions = () => Array.from(document.querySelectorAll('[data-live][id]'));
    const MEMORY = 'django_rqlite.live';
    const LONGEST = 60000; // ms between two attempts while the site does not answer
    const PATIENCE = 30000; // ms for one answer

    function remembered() {
        try {
            return sessionStorage.getItem(MEMORY) !== 'paused';
        } catch {
            return true; // the browser keeps nothing for this site
        }
    }

    function remember(live) {
        try {
            sessionStorage.setItem(MEMORY, live ? 'live' : 'paused');
        } catch {
            // Then this page alone knows.
        }
    }

    function start() {
        const every = Number(settings.dataset.every) * 1000;
        const button = document.createElement('button');
        const status = document.createElement('span');
        let live = remembered();
        let wait = every;
        let timer = null;
        let round = 0; // an answer to an older round is too late
        let over = false;

        button.type = 'button';
        button.className = 'button';
        status.setAttribute('role', 'status');
        settings.append(button, ' ', status);

        function say(words, link = '') {
            const told = [words, link].join(' ').trim();
            if (status.textContent === told) {
                return; // else a screen reader would read it out again
            }
            status.textContent = link ? `${words} ` : words;
            if (link) {
                const anchor = document.createElement('a');
                anchor.href = location.href;
                anchor.textContent = link;
                status.append(anchor);
            }
        }

        // The button says what it does; it has no pressed state beside that.
        function show() {
            button.textContent = live ? settings.dataset.pause : settings.dataset.resume;
        }

        function plan(delay) {
            clearTimeout(timer);
            round += 1;
            if (live && !over && !document.hidden) {
                timer = setTimeout(refresh, delay);
            }
        }

        // From now on the site would give the same answer to each question.
        function end(words, link) {
            over = true;
            button.disabled = true;
            say(words, link);
        }

        async function refresh() {
            const mine = round;
            const late = () => mine !== round;
            let words;
            try {
                const answer = await fetch(location.href, {
                    credentials: 'same-origin', redirect: 'manual', cache: 'no-store',
                    signal: AbortSignal.timeout(PATIENCE),
                });
                const text = answer.type === 'opaqueredirect' ? '' : await answer.text();
                if (late()) {
                    return;
                }
                if (answer.type === 'opaqueredirect') {
                    // This address gave a page before: only a sign-in can be in its place.
                    end(settings.dataset.signedOut, settings.dataset.signIn);
                } else if (answer.status === 403) {
                    end(settings.dataset.forbidden);
                } else if (answer.status === 404) {
                    wait = every; // a worker may come back
                    words = settings.dataset.gone;
                } else if (answer.ok && renewed(new DOMParser().parseFromString(text, 'text/html'))) {
                    wait = every;
                    words = '';
                } else {
                    throw new Error(String(answer.status));
                }
            } catch {
                if (late()) {
                    return;
                }
                wait = Math.min(wait * 2, LONGEST);
                words = settings.dataset.failing;
            }
            if (!over) {
                say(words);
                plan(wait);
            }
        }

        button.addEventListener('click', () => {
            live = !live;
            remember(live);
            show();
            plan(0);
        });
        document.addEventListener('visibilitychange', () => plan(0));
        show();
        plan(every);
    }

    // Whether the page had what this one shows; the one for a Redis that is away has not.
    function renewed(page) {
        let found = false;
        for (const region of regions()) {
            const fresh = page.getElementById(region.id);
            if (fresh?.hasAttribute('data-live')) {
                window.djangoRqlite.renew(region, fresh);
                found = true;
            }
        }
        if (found) {
            document.dispatchEvent(new Event('rqlite-renewed'));
        }
        return found;
    }

    if (settings && regions().length) {
        start();
    }
}

// Keeps a page of the admin up to date: fetches its own address every few seconds, and morphs the
// regions marked data-live into those of the response (morph.js). The texts come from the template,
// which translates them.
'use strict';
{
    const settings = document.getElementById('rqlite-live');
    const regions = () => Array.from(document.querySelectorAll('[data-live][id]'));
    const STORAGE_KEY = 'django_rqlite.live';
    const MAX_DELAY = 60000; // ms between two attempts while the site does not respond
    const TIMEOUT = 30000; // ms for one response

    function isLiveStored() {
        try {
            return sessionStorage.getItem(STORAGE_KEY) !== 'paused';
        } catch {
            return true; // the browser stores nothing for this site
        }
    }

    function storeLive(live) {
        try {
            sessionStorage.setItem(STORAGE_KEY, live ? 'live' : 'paused');
        } catch {
            // Only this page knows the choice.
        }
    }

    function start() {
        const every = Number(settings.dataset.every) * 1000;
        const button = document.createElement('button');
        const status = document.createElement('span');
        let live = isLiveStored();
        let delay = every;
        let timer = null;
        let round = 0; // the response to an older request is ignored
        let ended = false;

        button.type = 'button';
        button.className = 'button';
        status.setAttribute('role', 'status');
        settings.append(button, ' ', status);

        function say(text, link = '') {
            const whole = [text, link].join(' ').trim();
            if (status.textContent === whole) {
                return; // so that a screen reader does not read it out again
            }
            status.textContent = link ? `${text} ` : text;
            if (link) {
                const anchor = document.createElement('a');
                anchor.href = location.href;
                anchor.textContent = link;
                status.append(anchor);
            }
        }

        // The label of the button is its action, so the button has no pressed state.
        function label() {
            button.textContent = live ? settings.dataset.pause : settings.dataset.resume;
        }

        function schedule(wait) {
            clearTimeout(timer);
            round += 1;
            if (live && !ended && !document.hidden) {
                timer = setTimeout(refresh, wait);
            }
        }

        // The site would answer every later request in the same way.
        function end(text, link) {
            ended = true;
            button.disabled = true;
            say(text, link);
        }

        async function refresh() {
            const own = round;
            const isStale = () => own !== round;
            let message;
            try {
                const response = await fetch(location.href, {
                    credentials: 'same-origin', redirect: 'manual', cache: 'no-store',
                    signal: AbortSignal.timeout(TIMEOUT),
                });
                const text = response.type === 'opaqueredirect' ? '' : await response.text();
                if (isStale()) {
                    return;
                }
                if (response.type === 'opaqueredirect') {
                    // The address had a page before, so this redirects to the login.
                    end(settings.dataset.signedOut, settings.dataset.signIn);
                } else if (response.status === 403) {
                    end(settings.dataset.forbidden);
                } else if (response.status === 404) {
                    delay = every; // a worker may come back
                    message = settings.dataset.gone;
                } else if (response.ok && update(new DOMParser().parseFromString(text, 'text/html'))) {
                    delay = every;
                    message = '';
                } else {
                    throw new Error(String(response.status));
                }
            } catch {
                if (isStale()) {
                    return;
                }
                delay = Math.min(delay * 2, MAX_DELAY);
                message = settings.dataset.failing;
            }
            if (!ended) {
                say(message);
                schedule(delay);
            }
        }

        button.addEventListener('click', () => {
            live = !live;
            storeLive(live);
            label();
            schedule(0);
        });
        document.addEventListener('visibilitychange', () => schedule(0));
        label();
        schedule(every);
    }

    // Returns whether the page had any of the regions. The error page has none.
    function update(page) {
        let found = false;
        for (const region of regions()) {
            const fresh = page.getElementById(region.id);
            if (fresh?.hasAttribute('data-live')) {
                window.djangoRqlite.morph(region, fresh);
                found = true;
            }
        }
        if (found) {
            document.dispatchEvent(new Event('rqlite-updated'));
        }
        return found;
    }

    if (settings && regions().length) {
        start();
    }
}

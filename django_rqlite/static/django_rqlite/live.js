// Keeps a page of the admin up to date: fetches its own address again and again, and swaps the
// regions marked data-live. What the reader is doing in a region (choosing, typing, selecting
// text) always wins over what is new. Words come from the template, so that they are translated.
'use strict';
{
    const settings = document.getElementById('rqlite-live');
    const regions = () => Array.from(document.querySelectorAll('[data-live][id]'));
    const MEMORY = 'django_rqlite.live';
    const LONGEST = 60000; // ms between two attempts while the site does not answer

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

        function say(words) {
            if (status.textContent !== words) {
                status.textContent = words;
            }
        }

        function show() {
            button.textContent = settings.dataset.pause;
            button.setAttribute('aria-pressed', String(!live));
        }

        function plan(delay) {
            clearTimeout(timer);
            round += 1;
            if (live && !over && !document.hidden) {
                timer = setTimeout(refresh, delay);
            }
        }

        async function refresh() {
            const mine = round;
            try {
                const answer = await fetch(location.href, {
                    credentials: 'same-origin', redirect: 'manual', cache: 'no-store',
                });
                if (mine !== round) {
                    return;
                }
                if (answer.type === 'opaqueredirect' || answer.status === 403) {
                    over = true;
                    button.disabled = true;
                    say(settings.dataset.signedOut);
                    return;
                }
                if (!answer.ok) {
                    throw new Error(String(answer.status));
                }
                const text = await answer.text();
                if (mine !== round) {
                    return;
                }
                swap(new DOMParser().parseFromString(text, 'text/html'));
                say('');
                wait = every;
            } catch {
                if (mine !== round) {
                    return;
                }
                wait = Math.min(wait * 2, LONGEST);
                say(settings.dataset.failing);
            }
            plan(wait);
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

    function inUse(region) {
        const selection = document.getSelection();
        if (selection && !selection.isCollapsed && selection.containsNode(region, true)) {
            return true;
        }
        const focused = document.activeElement;
        return region.contains(focused)
            && focused.matches('input:not([type=checkbox]), select, textarea, button');
    }

    const controls = (region) => Array.from(
        region.querySelectorAll('input:not([type=hidden]), select, textarea'));
    const named = (element) => JSON.stringify([
        element.id, element.name, element.type === 'checkbox' ? element.value : '']);

    // How to find an element of the old region in the new one.
    function path(region, element) {
        if (element.matches('input, select, textarea')) {
            const name = named(element);
            return (fresh) => controls(fresh).find((other) => named(other) === name);
        }
        const key = element.id || element.getAttribute('href');
        const same = (root) => Array.from(root.querySelectorAll(element.localName)).filter(
            (other) => (other.id || other.getAttribute('href')) === key);
        const place = same(region).indexOf(element);
        return (fresh) => same(fresh)[place];
    }

    function swap(page) {
        let swapped = false;
        for (const region of regions()) {
            const fresh = page.getElementById(region.id);
            if (!fresh || !fresh.hasAttribute('data-live') || inUse(region)) {
                continue;
            }
            const focused = region.contains(document.activeElement)
                ? path(region, document.activeElement) : null;
            const kept = new Map(controls(region).map((control) => [named(control), control]));
            const open = Array.from(region.querySelectorAll('details[open]'), (details) =>
                path(region, details));
            const scrolled = Array.from(region.querySelectorAll('.results, pre'), (box) =>
                [path(region, box), box.scrollLeft, box.scrollTop]);

            const next = document.importNode(fresh, true);
            for (const control of controls(next)) {
                const old = kept.get(named(control));
                if (old && control.type === 'checkbox') {
                    control.checked = old.checked;
                    control.closest('tr')?.classList.toggle(
                        'selected', control.checked && control.classList.contains('action-select'));
                } else if (old) {
                    control.value = old.value;
                }
            }
            for (const find of open) {
                find(next)?.setAttribute('open', '');
            }
            const [left, top] = [scrollX, scrollY];
            region.replaceWith(next);
            for (const [find, across, down] of scrolled) {
                find(next)?.scrollTo(across, down);
            }
            if (focused) {
                focused(next)?.focus({preventScroll: true});
            }
            scrollTo(left, top);
            swapped = true;
        }
        if (swapped) {
            countAgain();
        }
    }

    // Django's admin/js/actions.js holds on to the checkboxes that were there when it began.
    function countAgain() {
        const boxes = document.querySelectorAll('tr input.action-select');
        if (window.Actions && boxes.length && document.getElementById('action-toggle')) {
            window.Actions(boxes);
            boxes[0].dispatchEvent(new Event('change', {bubbles: true}));
        }
    }

    if (settings && document.querySelector('[data-live][id]')) {
        start();
    }
}

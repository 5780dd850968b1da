// Makes a part of a page look like a newer one, changing only what differs: an element that both
// have stays the same element, with its scroll position, its focus, what was typed into it or
// checked, and whatever scripts hold on to. What the reader is doing wins over what is new: text
// that is selected, and a control that has the focus, stay until that is over.
'use strict';
{
    const TYPING = 'input:not([type=checkbox]), select, textarea';

    // By what an element is known again when others have come or gone beside it.
    function name(element) {
        const value = element.matches('option, [type=checkbox]') ? element.getAttribute('value') : '';
        const known = element.dataset.key || element.id || element.getAttribute('href')
            || element.getAttribute('action') || element.getAttribute('name') || '';
        if (known || value) {
            return [known, value];
        }
        // A row is known by its heading, a section by its title.
        const heading = element.querySelector(':scope > th[scope=row], :scope > h2');
        return heading && (heading.querySelector('a')?.getAttribute('href')
            || heading.textContent.trim());
    }

    // Text comes and goes with the element before it.
    function kind(node) {
        if (node.nodeType === Node.ELEMENT_NODE) {
            return JSON.stringify([node.localName, name(node)]);
        }
        const before = node.previousElementSibling;
        return JSON.stringify([node.nodeType, before && kind(before)]);
    }

    const selected = (node) => {
        const selection = document.getSelection();
        return Boolean(selection && !selection.isCollapsed && selection.containsNode(node, true));
    };

    const held = (node) => selected(node)
        || (node.contains(document.activeElement) && document.activeElement.matches(TYPING));

    function renewAttributes(old, fresh) {
        // Whether details are open is for the reader to say.
        const mine = (attribute) => attribute === 'open' && old.localName === 'details';
        for (const {name: attribute} of Array.from(old.attributes)) {
            if (!fresh.hasAttribute(attribute) && !mine(attribute)) {
                old.removeAttribute(attribute);
            }
        }
        for (const {name: attribute, value} of fresh.attributes) {
            if (old.getAttribute(attribute) !== value && !mine(attribute)) {
                old.setAttribute(attribute, value);
            }
        }
    }

    function renewChildren(old, fresh) {
        const news = Array.from(fresh.childNodes, (child) => [kind(child), child]);
        const wanted = new Map();
        for (const [what] of news) {
            wanted.set(what, (wanted.get(what) ?? 0) + 1);
        }
        const there = new Map(); // what is there of each kind and stays, in order
        const leaving = new Set(); // what is gone, but held
        for (const [what, child] of Array.from(old.childNodes, (node) => [kind(node), node])) {
            if (wanted.get(what)) {
                wanted.set(what, wanted.get(what) - 1);
                there.set(what, [...(there.get(what) ?? []), child]);
            } else if (held(child)) {
                leaving.add(child);
            } else {
                child.remove();
            }
        }
        let place = old.firstChild;
        for (const [what, child] of news) {
            while (leaving.has(place)) {
                place = place.nextSibling;
            }
            const match = there.get(what)?.shift();
            if (!match) {
                old.insertBefore(document.importNode(child, true), place);
                continue;
            }
            if (match === place || held(match)) {
                place = match.nextSibling; // to move it would let go of it; others are moved
            } else {
                old.insertBefore(match, place);
            }
            renew(match, child);
        }
    }

    function renew(old, fresh) {
        if (old.nodeType !== Node.ELEMENT_NODE) {
            if (old.data !== fresh.data && !selected(old)) {
                old.data = fresh.data;
            }
            return;
        }
        renewAttributes(old, fresh);
        // What a script of the page has written there is no news.
        if (!old.hasAttribute('data-written')) {
            renewChildren(old, fresh);
        }
    }

    window.djangoRqlite = {
        renew(old, fresh) {
            const focused = document.activeElement;
            renew(old, fresh);
            // An element that had to be moved has lost it.
            if (focused !== document.activeElement && focused.isConnected) {
                focused.focus({preventScroll: true});
            }
        },
    };
}

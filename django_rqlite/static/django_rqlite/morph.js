// Morphs a part of a page into a newer one, and changes only what differs. An element that both have
// stays the same element, with its scroll position, its focus, and what was typed or checked.
// Selected text and a focused control are not changed until the selection or the focus ends.
'use strict';
{
    const TYPING = 'input:not([type=checkbox]), select, textarea';

    // Identifies an element among its siblings, when others were added or removed.
    function name(element) {
        const value = element.matches('option, [type=checkbox]') ? element.getAttribute('value') : '';
        const known = element.dataset.key || element.id || element.getAttribute('href')
            || element.getAttribute('action') || element.getAttribute('name') || '';
        if (known || value) {
            return [known, value];
        }
        // A row is identified by its heading, a section by its title.
        const heading = element.querySelector(':scope > th[scope=row], :scope > h2');
        return heading && (heading.querySelector('a')?.getAttribute('href')
            || heading.textContent.trim());
    }

    // A text node belongs to the element before it.
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

    const isBusy = (node) => selected(node)
        || (node.contains(document.activeElement) && document.activeElement.matches(TYPING));

    function morphAttributes(old, fresh) {
        // The user decides whether details are open.
        const isOwn = (attribute) => attribute === 'open' && old.localName === 'details';
        for (const {name: attribute} of Array.from(old.attributes)) {
            if (!fresh.hasAttribute(attribute) && !isOwn(attribute)) {
                old.removeAttribute(attribute);
            }
        }
        for (const {name: attribute, value} of fresh.attributes) {
            if (old.getAttribute(attribute) !== value && !isOwn(attribute)) {
                old.setAttribute(attribute, value);
            }
        }
    }

    function morphChildren(old, fresh) {
        const children = Array.from(fresh.childNodes, (child) => [kind(child), child]);
        const wanted = new Map();
        for (const [what] of children) {
            wanted.set(what, (wanted.get(what) ?? 0) + 1);
        }
        const staying = new Map(); // the nodes of each kind that stay, in order
        const leaving = new Set(); // removed nodes that the user is busy with
        for (const [what, child] of Array.from(old.childNodes, (node) => [kind(node), node])) {
            if (wanted.get(what)) {
                wanted.set(what, wanted.get(what) - 1);
                staying.set(what, [...(staying.get(what) ?? []), child]);
            } else if (isBusy(child)) {
                leaving.add(child);
            } else {
                child.remove();
            }
        }
        let place = old.firstChild;
        for (const [what, child] of children) {
            while (leaving.has(place)) {
                place = place.nextSibling;
            }
            const match = staying.get(what)?.shift();
            if (!match) {
                old.insertBefore(document.importNode(child, true), place);
                continue;
            }
            if (match === place || isBusy(match)) {
                place = match.nextSibling; // moving it would lose focus or selection; others are moved
            } else {
                old.insertBefore(match, place);
            }
            morph(match, child);
        }
    }

    function morph(old, fresh) {
        if (old.nodeType !== Node.ELEMENT_NODE) {
            if (old.data !== fresh.data && !selected(old)) {
                old.data = fresh.data;
            }
            return;
        }
        morphAttributes(old, fresh);
        // Content that a script has written stays.
        if (!old.hasAttribute('data-written')) {
            morphChildren(old, fresh);
        }
    }

    window.djangoRqlite = {
        morph(old, fresh) {
            const focused = document.activeElement;
            morph(old, fresh);
            // A moved element has lost the focus.
            if (focused !== document.activeElement && focused.isConnected) {
                focused.focus({preventScroll: true});
            }
        },
    };
}

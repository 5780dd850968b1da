// Selects rows of a list for an action: all at once, or a range with Shift; counts the selected ones.
// It listens on the document and keeps no references to rows, because live.js adds and removes them.
// Django's actions.js only knows the rows that were there when the page was loaded.
'use strict';
{
    const boxes = () => Array.from(document.querySelectorAll('#result_list input.action-select'));
    let latest = null; // the value of the checkbox that was clicked last

    function count() {
        const all = boxes();
        const selected = all.filter((box) => box.checked);
        for (const box of all) {
            box.closest('tr').classList.toggle('selected', box.checked);
        }
        const toggle = document.getElementById('action-toggle');
        if (toggle) {
            toggle.checked = all.length > 0 && selected.length === all.length;
        }
        const counter = document.querySelector('.action-counter[data-words]');
        if (counter) {
            const words = counter.dataset.words
                .replace('{chosen}', selected.length).replace('{all}', all.length);
            if (counter.textContent !== words) {
                counter.textContent = words;
            }
        }
    }

    document.addEventListener('click', (event) => {
        const box = event.target;
        if (box.id === 'action-toggle') {
            boxes().forEach((other) => {
                other.checked = box.checked;
            });
        } else if (box.matches('input.action-select')) {
            const all = boxes();
            const [from, to] = [all.findIndex((other) => other.value === latest), all.indexOf(box)];
            if (event.shiftKey && from >= 0) {
                for (const other of all.slice(Math.min(from, to), Math.max(from, to) + 1)) {
                    other.checked = box.checked;
                }
            }
            latest = box.value;
        } else {
            return;
        }
        count();
    });
    document.addEventListener('rqlite-updated', count);
    // The browser restores checked boxes when the user comes back to the page.
    window.addEventListener('pageshow', count);
    count();
}

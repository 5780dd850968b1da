// Choosing rows of a list for an action: all of them at once, a range with Shift, how many are
// chosen. It listens at the document and holds on to no row, for these come and go (live.js);
// admin/js/actions.js knows only those that were there when the page was opened.
'use strict';
{
    const boxes = () => Array.from(document.querySelectorAll('#result_list input.action-select'));
    let latest = null; // the value of the box that was clicked last

    function count() {
        const all = boxes();
        const chosen = all.filter((box) => box.checked);
        for (const box of all) {
            box.closest('tr').classList.toggle('selected', box.checked);
        }
        const toggle = document.getElementById('action-toggle');
        if (toggle) {
            toggle.checked = all.length > 0 && chosen.length === all.length;
        }
        const counter = document.querySelector('.action-counter[data-words]');
        if (counter) {
            const words = counter.dataset.words
                .replace('{chosen}', chosen.length).replace('{all}', all.length);
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
    document.addEventListener('rqlite-renewed', count);
    // Also when the reader comes back to the page, where the browser has kept what was checked.
    window.addEventListener('pageshow', count);
    count();
}

// Requests the next batch of an action on all matching jobs, as its button does.
'use strict';
{
    const form = document.getElementById('rqlite-batches');
    const timer = setTimeout(() => form.submit(), 200);
    // A user who goes back to this page wants to see it, not to continue the action.
    window.addEventListener('pageshow', (event) => {
        if (event.persisted) {
            clearTimeout(timer);
        }
    });
}

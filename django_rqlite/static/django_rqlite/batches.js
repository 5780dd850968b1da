// Asks for the next batch of an action on all jobs that match, as its button would.
'use strict';
{
    const form = document.getElementById('rqlite-batches');
    const soon = setTimeout(() => form.submit(), 200);
    // Whoever goes back to a page of batches wants to look at it, not to set it going.
    window.addEventListener('pageshow', (event) => {
        if (event.persisted) {
            clearTimeout(soon);
        }
    });
}

"use strict";

// Asks for the state of every job on the page that has not ended, until it has.
const INTERVAL = 500; // milliseconds
const INTERVAL_AFTER_ERROR = 3000;

async function look(row) {
  const answer = await fetch(row.dataset.statusUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const job = await answer.json();
  const state = row.querySelector(".state");
  if (state.textContent !== job.status) {
    state.textContent = job.status;
    state.className = `state ${job.status}`;
  }
  row.querySelector(".outcome").textContent = job.outcome;
  return job.ended;
}

async function watch(row) {
  const outcome = row.querySelector(".outcome");
  for (let ended = false; !ended; ) {
    let pause = INTERVAL;
    try {
      ended = await look(row);
    } catch (error) {
      outcome.textContent = `no answer (${error.message}), asking again …`;
      pause = INTERVAL_AFTER_ERROR;
    }
    if (!ended) await new Promise((resume) => setTimeout(resume, pause));
  }
}

document.querySelectorAll("[data-status-url]:not([data-ended])").forEach(watch);

// What pages do beyond being read: count down, and follow what happens. Everything works without it.
"use strict";

function left(at) {
  const seconds = Math.round((Date.parse(at) - Date.now()) / 1000);
  if (seconds <= 0) return "now";
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `in ${minutes} min ${seconds % 60} s` : `in ${seconds} s`;
}

function tick() {
  for (const one of document.querySelectorAll("[data-until]")) {
    const said = left(one.dataset.until);
    // Read aloud at every change: so not at every second while there is time.
    const calm = Date.parse(one.dataset.until) - Date.now() > 30000;
    if (!calm || one.dataset.said === undefined || Date.now() - one.dataset.said > 10000) {
      one.textContent = said;
      one.dataset.said = Date.now();
    }
  }
}

async function refresh() {
  const main = document.getElementById("main");
  // Nobody's typing is thrown away.
  const busy = main.contains(document.activeElement) && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
  const filled = [...main.querySelectorAll("input:not([type=hidden])")].some((input) => input.value !== input.defaultValue);
  if (busy || filled || document.hidden) return false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const at = document.activeElement && document.activeElement.id;
  main.replaceChildren(...page.getElementById("main").childNodes);
  if (at) document.getElementById(at)?.focus();
  tick();
  return true;
}

function follow(kinds) {
  const events = new EventSource("/admin/api/v1/events");
  let due = null;
  const soon = () => {
    due ??= setTimeout(async () => {
      due = null;
      if (!(await refresh().catch(() => true))) soon();
    }, 1000);
  };
  for (const kind of kinds) events.addEventListener(kind, soon);
}

const main = document.getElementById("main");
if (main?.dataset.live) follow(main.dataset.live.split(" "));
tick();
setInterval(tick, 1000);

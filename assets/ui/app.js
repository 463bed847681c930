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

async function refresh(main) {
  // Nobody's typing is thrown away.
  const busy = main.contains(document.activeElement) && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
  const filled = [...main.querySelectorAll("input:not([type=hidden])")].some((input) => input.value !== input.defaultValue);
  if (busy || filled || document.hidden) return false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const at = document.activeElement && document.activeElement.id;
  main.replaceChildren(...page.getElementById(main.id).childNodes);
  if (at) document.getElementById(at)?.focus();
  tick();
  return true;
}

// Follows what happens, for the part of the page that says so.
function follow(part) {
  const events = new EventSource("/admin/api/v1/events");
  let due = null;
  const soon = () => {
    due ??= setTimeout(async () => {
      due = null;
      if (!(await refresh(part).catch(() => true))) soon();
    }, 1000);
  };
  for (const kind of part.dataset.live.split(" ")) events.addEventListener(kind, soon);
}

// What follows # never leaves the browser: a token in it goes into its field, and out of the history.
for (const field of document.querySelectorAll("[data-fragment]")) {
  const [name, value] = location.hash.slice(1).split("=");
  if (name === field.dataset.fragment && value) {
    field.value = value;
    history.replaceState(null, "", location.pathname);
  }
}

for (const text of document.querySelectorAll("pre.copy")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  });
  if (navigator.clipboard) text.before(button);
}

// A file goes on its way as it is; the form then says which one it was.
for (const form of document.querySelectorAll("[data-upload]")) {
  form.addEventListener("submit", async (event) => {
    const file = form.querySelector("[type=file]").files[0];
    if (!file || form.elements.upload.value) return;
    event.preventDefault();
    const said = form.querySelector("[role=status]");
    said.textContent = "Sending…";
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await fetch(form.dataset.upload, { method: "POST", headers, body: file }).catch(() => null);
    if (answer && answer.status === 401) {
      location = `/admin/prove?next=${encodeURIComponent(location.pathname)}`;
      return;
    }
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (!answer || !answer.ok) {
      said.textContent = told.error?.message ?? "It did not get there.";
      return;
    }
    form.elements.upload.value = told.upload;
    said.textContent = "Trying it out…";
    form.submit();
  });
}

// A list from a file is shown before it is sent.
for (const input of document.querySelectorAll("[data-into]")) {
  input.addEventListener("change", async () => {
    if (input.files[0]) input.form.elements[input.dataset.into].value = await input.files[0].text();
  });
}

const live = document.querySelector("[data-live]");
if (live) follow(live);
tick();
setInterval(tick, 1000);

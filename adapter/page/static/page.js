// Keeps the sections of the page that show what happens up to date. Without this script the page is as it was loaded.
"use strict";
const live = document.getElementById("live");
const postponed = new Map();

// A section is replaced as a whole; not while somebody selects text in it or plays what it shows.
function replace(section) {
  const old = document.getElementById(section.id);
  if (!old || !live.contains(old)) return;
  const selection = window.getSelection();
  const isRead = String(selection) && old.contains(selection.anchorNode);
  const isPlayed = [...old.querySelectorAll("video")].some((one) => !one.paused);
  if (isRead || isPlayed) {
    postponed.set(section.id, section);
    return;
  }
  postponed.delete(section.id);
  const opened = [...old.querySelectorAll("details")].map((one) => one.open);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.innerHTML = section.innerHTML;
  old.querySelectorAll("details").forEach((one, number) => { one.open = Boolean(opened[number]); });
  if (!focused) return;
  const place = (one) => one.getAttribute("formaction") || one.getAttribute("href") || one.textContent;
  const same = [...old.querySelectorAll("a, button, summary")].find((one) => place(one) === place(focused));
  const next = same || old.querySelector("h2");
  if (!same && next) next.tabIndex = -1;
  if (next) next.focus({ preventScroll: true });
}

if (live && window.EventSource) {
  const events = new EventSource(live.dataset.follow);
  events.onmessage = (event) => {
    const parsed = document.createElement("template");
    parsed.innerHTML = event.data;
    parsed.content.querySelectorAll("section").forEach(replace);
  };
  setInterval(() => [...postponed.values()].forEach(replace), 2000);
  window.addEventListener("pagehide", () => events.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

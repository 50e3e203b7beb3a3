// Keeps the part of the page that shows what happens up to date. Without this script the page is as it was loaded.
"use strict";
const live = document.getElementById("live");
if (live && window.EventSource) {
  const language = document.documentElement.lang;
  const address = live.dataset.follow;
  const events = new EventSource(address + (address.includes("?") ? "&" : "?") + "lang=" + language);
  events.onmessage = (event) => {
    // what somebody is reading, or about to press, stays where it is
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const again = focused && (focused.getAttribute("formaction") || focused.getAttribute("href"));
    const opened = [...live.querySelectorAll("details")].map((one) => one.open);
    if (String(window.getSelection()) && live.contains(window.getSelection().anchorNode)) return;
    live.innerHTML = event.data;
    live.querySelectorAll("details").forEach((one, number) => { one.open = Boolean(opened[number]); });
    if (again) {
      const same = [...live.querySelectorAll("a, button")].find(
        (one) => one.getAttribute("formaction") === again || one.getAttribute("href") === again);
      if (same) same.focus({ preventScroll: true });
    }
  };
  window.addEventListener("pagehide", () => events.close());
}

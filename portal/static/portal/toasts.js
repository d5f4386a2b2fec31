// Toasts: the server sends them out of band into #toasts; here they only leave again, and their undo
// moves into the page's own "Undo" slot, so that it stays reachable after the toast is gone.
const STAY_MS = 10_000;

const toasts = document.getElementById("toasts");

function retire(toast) {
  const form = toast.querySelector("form");
  const slot = document.querySelector("[data-undo-slot]");
  if (form && slot) {
    slot.replaceChildren(form);
    window.htmx?.process(slot);
  }
  toast.remove();
}

function welcome(toast) {
  for (const older of toasts.querySelectorAll(".toast")) if (older !== toast) retire(older);
  let timer = setTimeout(() => retire(toast), STAY_MS);
  const wait = () => clearTimeout(timer);
  const go = () => { timer = setTimeout(() => retire(toast), STAY_MS); };
  toast.addEventListener("pointerenter", wait);
  toast.addEventListener("focusin", wait);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusout", go);
}

function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const line = document.createElement("p");
  line.textContent = text;
  toast.append(line);
  toasts.append(toast);
}

if (toasts) {
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes) if (node.classList?.contains("toast")) welcome(node);
  }).observe(toasts, { childList: true });
  document.addEventListener("broadsheet:say", (event) => say(event.detail));
  // A click that could not be carried out is said, never swallowed.
  document.addEventListener("htmx:responseError", () => say(toasts.dataset.failed));
  document.addEventListener("htmx:sendError", () => say(toasts.dataset.failed));
}

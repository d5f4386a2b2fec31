// Keys press controls that stand on the page: [data-key] on the current card, [data-page-key] anywhere.
// Nothing here knows what a control does. Switched off by <html data-keys="off">.
const root = document.documentElement;
const TYPING = "input, textarea, select, [contenteditable]";

const cards = () => [...document.querySelectorAll("[data-paper]")].filter((card) => card.offsetParent !== null);
const current = () => document.activeElement?.closest?.("[data-paper]") ?? document.querySelector("[data-paper].is-current");

function choose(card) {
  if (!card) return;
  for (const other of document.querySelectorAll(".is-current")) other.classList.remove("is-current");
  card.classList.add("is-current");
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = cards();
  const here = all.indexOf(current());
  if (here < 0) return choose(all[0]);
  const next = all[here + by];
  if (next) return choose(next);
  if (by > 0) document.querySelector("[data-more]")?.click();
}

function press(control) {
  if (control.tagName === "INPUT") { control.focus(); control.select(); return; }
  control.click();
}

function onKey(event) {
  if (root.dataset.keys === "off" || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) return;
  if (document.querySelector("dialog[open]")) return;
  const key = CSS.escape(event.key);
  const control = current()?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`[data-page-key="${key}"]`);
  if (!control) return;
  event.preventDefault();
  press(control);
}

function onClick(event) {
  const mover = event.target.closest("[data-moves]");
  if (mover) { event.preventDefault(); step(Number(mover.dataset.moves)); }
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  const copier = event.target.closest("[data-copies]");
  if (copier && navigator.clipboard) { event.preventDefault(); copy(copier); }
}

async function copy(link) {
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    await navigator.clipboard.writeText(await answer.text());
    document.dispatchEvent(new CustomEvent("broadsheet:say", { detail: link.dataset.copied }));
  } catch {
    location.assign(link.href);
  }
}

// After a card was replaced by its new self, or left, the reader stays where they were.
let place = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const card = event.detail.target?.closest?.("[data-paper]");
  if (!card) return;
  const all = cards();
  const moves = event.detail.requestConfig?.triggeringEvent?.submitter?.matches("[data-then-next]");
  place = { id: card.id, next: all[all.indexOf(card) + 1]?.id, held: card.matches(":focus-within, .is-current"), moves };
});
document.addEventListener("htmx:afterSettle", () => {
  if (!place) return;
  const { id, next, held, moves } = place;
  place = null;
  if (held) choose((!moves && document.getElementById(id)) || document.getElementById(next) || document.getElementById(id));
});

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("focusin", (event) => {
  const card = event.target.closest?.("[data-paper]");
  if (card && !card.classList.contains("is-current")) {
    for (const other of document.querySelectorAll(".is-current")) other.classList.remove("is-current");
    card.classList.add("is-current");
  }
});
for (const control of document.querySelectorAll("[data-needs-js], [data-opens]")) control.hidden = false;

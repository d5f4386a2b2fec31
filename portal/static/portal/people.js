// Forms about people and profiles: a time zone guessed from the browser, and a slider beside each number.
for (const input of document.querySelectorAll("[data-time-zone]"))
  if (!input.value) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

function pair(slider) {
  const number = document.getElementById(slider.dataset.pairs);
  if (!number || slider.dataset.paired) return;
  slider.dataset.paired = "yes";
  slider.hidden = false;
  slider.value = number.value;
  slider.addEventListener("input", () => { number.value = slider.value; });
  number.addEventListener("input", () => { slider.value = number.value; });
}

function pairAll() {
  for (const slider of document.querySelectorAll("[data-pairs]")) pair(slider);
}

pairAll();
document.addEventListener("htmx:afterSettle", pairAll);

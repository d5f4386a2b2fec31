// Math in titles and abstracts, as far as it is in sight. What KaTeX cannot read stays as the author wrote it.
const OPTIONS = {
  delimiters: [
    { left: "$$", right: "$$", display: false },
    { left: "\\(", right: "\\)", display: false },
    { left: "\\[", right: "\\]", display: false },
    { left: "$", right: "$", display: false },
  ],
  throwOnError: false,
  errorColor: "currentColor",
  strict: false,
  trust: false,
  maxExpand: 500,
};

const eye = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    eye.unobserve(target);
    window.renderMathInElement?.(target, OPTIONS);
  }
}, { rootMargin: "400px" });

function watch(scope) {
  for (const element of scope.querySelectorAll?.(".math") ?? [])
    if (/[$]|\\[([]/.test(element.textContent)) eye.observe(element);
}

watch(document);
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) watch(event.target.parentElement ?? event.target); });

// Keyboard control of the handle between before and after.

const COMPARE_STEP = 0.05;
const COMPARE_KEYS = {
  ArrowLeft: -COMPARE_STEP, ArrowDown: -COMPARE_STEP, ArrowRight: COMPARE_STEP, ArrowUp: COMPARE_STEP,
  PageDown: -5 * COMPARE_STEP, PageUp: 5 * COMPARE_STEP, Home: -1, End: 1,
};

function dragHandle(handle, distance) {
  const box = handle.getBoundingClientRect();
  const at = (x) => ({ clientX: x, clientY: box.top + box.height / 2, view: window, bubbles: true });
  const start = box.left + box.width / 2;
  handle.dispatchEvent(new MouseEvent("mousedown", at(start)));
  window.dispatchEvent(new MouseEvent("mousemove", at(start + distance)));
  window.dispatchEvent(new MouseEvent("mouseup", at(start + distance)));
}

function shareBefore(handle) {
  const found = /([\d.]+)%/.exec(handle.parentElement.querySelector("img.fixed")?.style.clipPath ?? "");
  return found ? Number(found[1]) : 50;
}

function describeHandle(compare) {
  const handle = compare.querySelector("[data-testid=slider]");
  if (!handle) return;
  const share = String(Math.round(shareBefore(handle)));
  const said = {
    role: "slider", tabindex: "0", "aria-orientation": "horizontal",
    "aria-label": "How much is shown of before, the rest of after", "aria-valuemin": "0", "aria-valuemax": "100",
    "aria-valuenow": share, "aria-valuetext": `${share} % before`,
    title: "Drag, or use the arrow keys; a double-click goes to the middle",
  };
  for (const [name, value] of Object.entries(said)) {
    if (handle.getAttribute(name) !== value) handle.setAttribute(name, value);
  }
  ["Before", "After"].forEach((name, i) => {
    const image = compare.querySelectorAll("img")[i];
    if (image && image.alt !== name) image.alt = name;
  });
}

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest("#edit-compare [data-testid=slider]");
  const step = COMPARE_KEYS[event.key];
  if (!handle || step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  dragHandle(handle, step * handle.parentElement.clientWidth);
});

document.addEventListener("dblclick", (event) => {
  const handle = event.target.closest("#edit-compare [data-testid=slider]");
  if (!handle) return;
  const image = handle.parentElement.querySelector("img").getBoundingClientRect();
  dragHandle(handle, ((50 - shareBefore(handle)) / 100) * image.width);
});

// Gradio would zoom with the wheel and move the picture with a finger; on the page both scroll it.
for (const kind of ["wheel", "touchstart"]) {
  document.addEventListener(kind, (event) => {
    const compare = event.target.closest?.("#edit-compare:not(.fullscreen)");
    const zooms = event.ctrlKey || event.touches?.length > 1;
    if (compare && !zooms && !event.target.closest("[data-testid=slider]")) event.stopPropagation();
  }, { capture: true, passive: true });
}

// Gradio creates and replaces the comparison at any time.
function watchCompare() {
  let watched = null;
  const inside = new MutationObserver(() => describeHandle(watched));
  new MutationObserver(() => {
    const compare = document.getElementById("edit-compare");
    if (!compare || compare === watched) return;
    watched = compare;
    inside.disconnect();
    inside.observe(compare, { childList: true, subtree: true, attributes: true, attributeFilter: ["style"] });
    describeHandle(compare);
  }).observe(document.body, { childList: true, subtree: true });
}

if (document.body) watchCompare();
else document.addEventListener("DOMContentLoaded", watchCompare);

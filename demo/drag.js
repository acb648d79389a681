// The tab Drag: a point is pulled to its target, and points are drawn at once, until the server's picture has them.
// Gradio hears a pull as two clicks, at the point and at its target.

const DRAGGED = "#drag-points img";
const LEAST_PULL = 6; // pixels; what moves less is a click
const LONGEST_PENDING = 8000;
let pull = null; // where the pointer went down
let pulled = false; // whether the click that the browser sends itself is to be ignored
let pending = []; // clicks that the server has not drawn yet, in parts of the picture
let forgetting = 0;

function placeOn(image, event) {
  const box = image.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
}

// Whether the next click is a target: the last point has none yet.
function targetIsNext() {
  const waits = document.querySelector("#drag-hint .note.target") !== null;
  return waits !== (pending.length % 2 === 1);
}

function drawPoints(points, firstIsTarget, from, to) {
  const image = document.querySelector(DRAGGED);
  const frame = document.getElementById("drag-points");
  let layer = document.getElementById("drag-layer");
  if (!image || (!points.length && !to)) {
    layer?.remove();
    return;
  }
  if (!layer) {
    layer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    layer.id = "drag-layer";
    layer.setAttribute("aria-hidden", "true");
    frame.append(layer);
  }
  const box = image.getBoundingClientRect();
  const outer = frame.getBoundingClientRect();
  const sides = { left: box.left - outer.left, top: box.top - outer.top, width: box.width, height: box.height };
  for (const [side, length] of Object.entries(sides)) layer.style[side] = `${length}px`;
  const dot = ({ x, y }, kind) => `<circle class="${kind}" cx="${100 * x}%" cy="${100 * y}%" r="6"/>`;
  const line = (a, b) => `<line x1="${100 * a.x}%" y1="${100 * a.y}%" x2="${100 * b.x}%" y2="${100 * b.y}%"/>`;
  const kinds = points.map((_, i) => ((i % 2 === 1) !== firstIsTarget ? "to" : "from"));
  const lines = points.map((one, i) => (i && kinds[i] === "to" ? line(points[i - 1], one) : ""));
  layer.innerHTML = [
    ...lines, from && to ? line(from, to) : "", ...points.map((one, i) => dot(one, kinds[i])),
    from && to ? dot(from, "from") + dot(to, "to") : "",
  ].join("");
}

function drawPending(from, to) {
  const waits = document.querySelector("#drag-hint .note.target") !== null;
  drawPoints(pending, waits, from, to);
}

function forgetPending() {
  pending = [];
  drawPending();
}

function clickAt(image, { clientX, clientY }) {
  image.dispatchEvent(new MouseEvent("click", { clientX, clientY, bubbles: true, cancelable: true, view: window }));
}

document.addEventListener("pointerdown", (event) => {
  const image = event.target.closest?.("#drag-points")?.querySelector("img");
  if (!image || event.button !== 0 || event.target.closest("#drag-points button[aria-label]:not(:has(img))")) return;
  pulled = false;
  pull = { image, clientX: event.clientX, clientY: event.clientY, from: placeOn(image, event), moves: !targetIsNext() };
});

document.addEventListener("pointermove", (event) => {
  if (pull?.moves) drawPending(pull.from, placeOn(pull.image, event));
});

document.addEventListener("pointerup", (event) => {
  const began = pull;
  pull = null;
  if (!began) return;
  const far = Math.hypot(event.clientX - began.clientX, event.clientY - began.clientY) >= LEAST_PULL;
  drawPending();
  if (!far || !began.moves) return;
  clickAt(began.image, began);
  clickAt(began.image, event);
  pulled = true;
});

for (const kind of ["pointercancel", "blur"]) {
  window.addEventListener(kind, () => {
    pull = null;
    drawPending();
  });
}

// Else the browser would drag the picture itself.
document.addEventListener("dragstart", (event) => {
  if (event.target.matches?.(DRAGGED)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const image = event.target.closest?.("#drag-points")?.querySelector("img");
  if (!image || !event.target.closest("button:has(img)")) return;
  if (event.isTrusted && pulled) {
    event.stopPropagation();
    pulled = false;
    return;
  }
  const place = placeOn(image, event);
  if (place.x < 0 || place.x > 1 || place.y < 0 || place.y > 1) return;
  pending.push(place);
  drawPending();
  clearTimeout(forgetting);
  forgetting = setTimeout(forgetPending, LONGEST_PENDING);
}, true);

// Each answer of the server shows one more click; a message says why there is none.
function watchDrag() {
  new MutationObserver((changes) => {
    const drawn = changes.filter(({ target, type }) => type === "attributes" && target.matches(DRAGGED)).length;
    const told = changes.some(({ addedNodes }) => [...addedNodes].some((one) => one.querySelector?.(".toast-body")));
    if (!drawn && !told) return;
    pending = told ? [] : pending.slice(drawn);
    drawPending();
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["src"] });
}

if (document.body) watchDrag();
else document.addEventListener("DOMContentLoaded", watchDrag);

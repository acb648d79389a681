// A sign on the picture of the tab Edit from what asks for a new one until it arrives.

const REDRAWING = "#edit-undo, #edit-redo, #edit-reset, #edit-paint-use, #edit-looks button, #edit-view input, "
  + "#edit-regions input, .direction [data-testid=reset-button]";
const LONGEST_DRAWING = 60000;
let drawingEnds = 0;

function showDrawing(going) {
  const compare = document.getElementById("edit-compare");
  clearTimeout(drawingEnds);
  if (!compare?.querySelector("img")) return;
  compare.setAttribute("aria-busy", String(going));
  if (going) drawingEnds = setTimeout(showDrawing, LONGEST_DRAWING, false);
}

// While a slider moves, and once more for the full resolution when it is released.
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.matches?.(".direction input")) showDrawing(true);
  });
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.(REDRAWING)) showDrawing(true);
});

// The end is a new picture, or a message that says why there is none.
function watchDrawing() {
  new MutationObserver((changes) => {
    const ends = (one) => one.matches?.("#edit-compare img") || one.querySelector?.(".toast-body, #edit-compare img");
    const ended = changes.some(({ target, type, addedNodes }) =>
      (type === "attributes" && target.matches("#edit-compare img")) || [...addedNodes].some(ends));
    if (ended) showDrawing(false);
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["src"] });
}

if (document.body) watchDrawing();
else document.addEventListener("DOMContentLoaded", watchDrawing);

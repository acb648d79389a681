// Additions to Gradio's page: input is blocked until the visit has started; double-click resets a slider; keys for
// undo and redo; light and dark mode; titles of messages.

let entered = false;

function holdPage() {
  document.querySelector("gradio-app").inert = !entered;
}

window.releasePage = () => {
  entered = true;
  holdPage();
};

function setRange(range, value) {
  range.value = value;
  for (const kind of ["input", "change", "pointerup"]) {
    range.dispatchEvent(new Event(kind, { bubbles: true }));
  }
}

// A number box that is emptied keeps its value, and one out of bounds takes the nearest bound: Gradio would send both.
const keptNumbers = new WeakMap();

function bounded(box, value) {
  const least = box.min === "" ? -Infinity : Number(box.min);
  const most = box.max === "" ? Infinity : Number(box.max);
  return Math.min(Math.max(value, least), most);
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[type=number]")) keptNumbers.set(event.target, event.target.value);
});

document.addEventListener("input", (event) => {
  const box = event.target;
  if (!box.matches?.("input[type=number]")) return;
  if (box.value === "" || Number(box.value) < bounded(box, Number(box.value))) {
    // Perhaps the beginning of a number; settled when the box is left.
    if (keptNumbers.get(box)) event.stopImmediatePropagation();
  } else {
    if (Number(box.value) !== bounded(box, Number(box.value))) box.value = bounded(box, Number(box.value));
    keptNumbers.set(box, box.value);
  }
}, true);

function settleNumber(event) {
  const box = event.target;
  if (!box.matches?.("input[type=number]") || !keptNumbers.get(box)) return;
  const settled = box.value === "" ? keptNumbers.get(box) : String(bounded(box, Number(box.value)));
  if (box.value === settled) return;
  box.value = settled;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

for (const kind of ["change", "blur"]) document.addEventListener(kind, settleNumber, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter") settleNumber(event);
}, true);

// On a phone, what was begun is shown: its result is far below the button.
const RESULTS = {
  "edit-start": "edit-compare", "interpolate-begin": "interpolate-film", "drag-begin": "drag-after",
  "discover-begin": "discover-status", "mix-figure-begin": "mix-figure", "style-make-begin": "style-status",
  "style-film-begin": "style-status", "album-begin": "album-now", "film-begin": "film-result",
  "film-edit-begin": "film-result",
};

document.addEventListener("click", (event) => {
  const result = document.getElementById(RESULTS[event.target.closest?.("button")?.id]);
  if (result && matchMedia("(max-width: 640px)").matches) result.scrollIntoView({ block: "start" });
});

// Gradio drops clicks on a picture whose next version is still being loaded; they count once it has come.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#drag-points button, #edit-mark button");
  const picture = button?.querySelector("img");
  if (!picture || picture.naturalWidth) return;
  event.stopPropagation();
  const { clientX, clientY } = event;
  const again = () => button.dispatchEvent(new MouseEvent("click", { bubbles: true, clientX, clientY }));
  picture.addEventListener("load", again, { once: true });
}, true);

document.addEventListener("dblclick", (event) => {
  const range = event.target.closest("input[type=range]");
  if (!range) return;
  const slider = range.closest(".direction");
  if (slider && !slider.closest("[id^=camera-]")) setRange(range, "0");
  else range.closest(".block")?.querySelector("[data-testid=reset-button]")?.click();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, input:not([type=range]), [contenteditable=true]");
  if (typing || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const redo = key === "y" || (key === "z" && event.shiftKey);
  const button = redo ? "edit-redo" : key === "z" ? "edit-undo" : null;
  const target = button && document.getElementById(button);
  if (target && target.offsetParent) {
    event.preventDefault();
    target.click();
  }
});

// Light or dark as chosen earlier, else the system's setting, which Gradio applies.
let chosenTheme = null;
try {
  if (!new URLSearchParams(location.search).has("__theme")) chosenTheme = localStorage.getItem("stylegan-latents-theme");
} catch (error) {
  // The browser may forbid storage.
}

function applyTheme() {
  const dark = chosenTheme === "dark";
  if (chosenTheme !== null && document.body.classList.contains("dark") !== dark) {
    document.body.classList.toggle("dark", dark);
  }
}

window.switchTheme = () => {
  chosenTheme = document.body.classList.contains("dark") ? "light" : "dark";
  applyTheme();
  try {
    localStorage.setItem("stylegan-latents-theme", chosenTheme);
  } catch (error) {
    // Without storage the choice lasts as long as the page.
  }
};

function watchTheme() {
  applyTheme();
  // Gradio applies the system's setting later, when it starts.
  new MutationObserver(applyTheme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

// Gradio titles every message "Error", and names file types by their MIME types.
const OWN_WORDS = [
  [".toast-title", "Error", "That did not work"],
  ["[data-testid=toast-text]", "Only image/* allowed.", "Choose a picture: JPEG, PNG, WebP, TIFF, GIF or BMP."],
];

function nameToasts() {
  for (const [place, theirs, ours] of OWN_WORDS) {
    for (const element of document.querySelectorAll(place)) {
      // Change only text nodes, as Gradio keeps references to the elements.
      for (const node of element.childNodes) {
        if (node.nodeType === Node.TEXT_NODE && node.nodeValue.includes(theirs) && !node.nodeValue.includes(ours)) {
          node.nodeValue = node.nodeValue.replace(theirs, ours);
        }
      }
    }
  }
}

function watchToasts() {
  new MutationObserver(nameToasts).observe(document.body, { childList: true, subtree: true });
}

// Gradio adds the controls one by one; the page is shown when they have their places.
function showWhenComplete() {
  const app = document.querySelector("gradio-app");
  app.style.visibility = "hidden";
  let quiet = 0;
  const show = () => {
    app.style.visibility = "";
    watch.disconnect();
  };
  const watch = new MutationObserver(() => {
    clearTimeout(quiet);
    if (document.querySelector("#licence") && document.querySelector("#tab-edit .sliders input")) {
      quiet = setTimeout(show, 150);
    }
  });
  watch.observe(app, { childList: true, subtree: true });
  setTimeout(show, 8000);
}

function beginPage() {
  holdPage();
  showWhenComplete();
  watchTheme();
  watchToasts();
}

if (document.body) beginPage();
else document.addEventListener("DOMContentLoaded", beginPage);

// What Gradio's controls lack: a double-click that resets a slider, keys for undo and redo, light and dark.

function setRange(range, value) {
  range.value = value;
  for (const kind of ["input", "change", "pointerup"]) {
    range.dispatchEvent(new Event(kind, { bubbles: true }));
  }
}

document.addEventListener("dblclick", (event) => {
  const range = event.target.closest(".direction input[type=range]");
  if (range) setRange(range, "0");
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

window.switchTheme = () => {
  const dark = document.body.classList.toggle("dark");
  try {
    localStorage.setItem("stylegan-latents-theme", dark ? "dark" : "light");
  } catch (error) {
    // A browser may forbid it; the choice then lasts as long as the page.
  }
};

document.addEventListener("DOMContentLoaded", () => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("stylegan-latents-theme");
  } catch (error) {
    // As above.
  }
  if (chosen === null || new URLSearchParams(location.search).has("__theme")) return;
  // Gradio sets the system's choice when it starts; ours comes after it.
  const apply = () => document.body.classList.toggle("dark", chosen === "dark");
  apply();
  setTimeout(apply, 300);
  setTimeout(apply, 1500);
});

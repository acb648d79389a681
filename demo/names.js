// Names and states of controls that screen readers need and Gradio leaves out. Each step can run any number of times.

function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

const NAMINGS = {
  // "Thumbnail 1 of 7" says less than the picture's caption, which would be read twice.
  "button:has(> img[alt]:not([alt='']))": (button) => {
    const image = button.querySelector("img");
    if (!/^Thumbnail /.test(button.ariaLabel ?? "") && !button.dataset.named) return;
    button.dataset.named = "yes";
    setAttributes(button, { "aria-label": image.alt });
    image.alt = "";
  },
  "button[data-testid=reset-button]": (button) => {
    const number = button.closest(".block")?.querySelector("input[type=number]")?.ariaLabel;
    const label = `Reset ${number ? number.replace("number input for ", "") : "to the preset"}`;
    setAttributes(button, { "aria-label": label, title: label });
  },
  "button.label-wrap": (button) => {
    setAttributes(button, { "aria-expanded": String(button.classList.contains("open")) });
  },
  // A name without a role is read by nobody.
  ".empty[aria-label]:not([role])": (empty) => setAttributes(empty, { role: "img" }),
  "#theme-switch": (button) => setAttributes(button, { "aria-label": "Light or dark", title: "Light or dark" }),
};

function nameControls() {
  for (const [selector, name] of Object.entries(NAMINGS)) {
    document.querySelectorAll(selector).forEach(name);
  }
}

let namesAsked = false;

function watchNames() {
  new MutationObserver(() => {
    if (namesAsked) return;
    namesAsked = true;
    requestAnimationFrame(() => {
      namesAsked = false;
      nameControls();
    });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["alt", "aria-label", "class"] });
}

if (document.body) watchNames();
else document.addEventListener("DOMContentLoaded", watchNames);

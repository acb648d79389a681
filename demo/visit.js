// The browser's own visit: it is found again after a reload, a gap or a crash; unsaved work is not left without a
// warning. A tab's own secret is in its session storage, those of the last tabs in the local storage.

const VISIT_KEY = "stylegan-latents-visit";
const MOST_VISITS = 7;
let unsaved = false;

function readStored(storage) {
  try {
    const value = JSON.parse(window[storage].getItem(VISIT_KEY));
    return Array.isArray(value) ? value : [];
  } catch (error) {
    return []; // The browser may forbid storage.
  }
}

function writeStored(storage, value) {
  try {
    if (value.length) window[storage].setItem(VISIT_KEY, JSON.stringify(value));
    else window[storage].removeItem(VISIT_KEY);
  } catch (error) {
    // Without storage a visit lasts as long as its page.
  }
}

window.visitTokens = () => [readStored("sessionStorage")[0] ?? "", ...readStored("localStorage")].join(" ");

window.beginVisit = (secret) => {
  if (secret) {
    writeStored("sessionStorage", [secret]);
    const others = readStored("localStorage").filter((other) => other !== secret);
    writeStored("localStorage", [secret, ...others].slice(0, MOST_VISITS));
  }
  window.releasePage();
};

window.forgetVisit = () => {
  const own = readStored("sessionStorage")[0];
  writeStored("sessionStorage", []);
  writeStored("localStorage", readStored("localStorage").filter((other) => other !== own));
  unsaved = false;
  location.reload();
};

// Work is a moved slider or long work begun; a download saves it.
document.addEventListener("input", (event) => {
  if (event.target.closest(".direction")) unsaved = true;
});
document.addEventListener(
  "click",
  (event) => {
    if (event.target.closest("#edit-start, [id$='-begin'], #mix-keep")) unsaved = true;
    if (event.target.closest(".downloads")) unsaved = false;
  },
  true,
);
window.addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

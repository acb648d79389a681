// The picture of the tab Edit in other programs: copied, shared, or saved beside the unedited one.

function say(text) {
  const line = document.querySelector("#edit-status .note p");
  if (line) line.textContent = text;
}

// The pictures before and after, side by side, or the second alone, as a blob.
async function drawShown(kind, both) {
  const images = [...document.querySelectorAll("#edit-compare img")].slice(0, 2);
  if (images.length < 2) throw new Error("there is no picture yet.");
  const chosen = both ? images : [images[1]];
  await Promise.all(chosen.map((image) => image.decode()));
  const height = Math.max(...chosen.map((image) => image.naturalHeight));
  const widths = chosen.map((image) => Math.round((image.naturalWidth * height) / image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.height = height;
  canvas.width = widths.reduce((sum, width) => sum + width, 0);
  let left = 0;
  chosen.forEach((image, i) => {
    canvas.getContext("2d").drawImage(image, left, 0, widths[i], height);
    left += widths[i];
  });
  return new Promise((resolve) => canvas.toBlob(resolve, kind, 0.92));
}

async function attempt(work, done) {
  try {
    await work();
    say(done);
  } catch (error) {
    if (error.name === "AbortError") return; // The visitor closed the system's dialog.
    say(`That did not work: ${error.message}`);
  }
}

window.copyPicture = () =>
  attempt(async () => {
    if (!navigator.clipboard?.write) throw new Error("the browser copies only from a secure address.");
    await navigator.clipboard.write([new ClipboardItem({ "image/png": drawShown("image/png", false) })]);
  }, "Copied.");

window.saveSheet = () =>
  attempt(async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await drawShown("image/jpeg", true));
    link.download = "before-after.jpg";
    link.click();
    URL.revokeObjectURL(link.href);
  }, "Saved before and after, side by side.");

window.sharePicture = () =>
  attempt(async () => {
    const file = new File([await drawShown("image/jpeg", true)], "before-after.jpg", { type: "image/jpeg" });
    if (!navigator.canShare?.({ files: [file] })) throw new Error("this browser cannot share pictures from here.");
    await navigator.share({ files: [file] });
  }, "Shared.");

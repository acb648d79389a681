// A picture pasted anywhere on the tab Edit is uploaded as the photo.

function givePhoto(box, file) {
  const input = box.querySelector("input[type=file]");
  if (!input) return false;
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  const box = document.getElementById("edit-photo");
  if (!file || !box?.offsetParent) return;
  event.preventDefault();
  const remove = box.querySelector("[aria-label='Remove Image']");
  if (!remove) {
    givePhoto(box, file);
    return;
  }
  // Remove the present photo first.
  const room = new MutationObserver(() => {
    if (!box.querySelector("[aria-label='Remove Image']") && givePhoto(box, file)) room.disconnect();
  });
  room.observe(box, { childList: true, subtree: true });
  remove.click();
});

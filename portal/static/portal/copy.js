// Copies a prepared text; where the browser doesn't let a page do that, the text is selected for the person to copy.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  text.focus();
  text.select();
  let copied = false;
  try {
    await navigator.clipboard.writeText(text.value);
    copied = true;
  } catch {
    copied = document.execCommand("copy");
  }
  const said = document.querySelector(`[data-copied="${button.dataset.copy}"]`);
  if (said) said.textContent = copied ? button.dataset.done : button.dataset.byHand;
});

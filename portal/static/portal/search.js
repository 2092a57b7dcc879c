// "/" goes to the search box of the header, unless somebody is typing; several pasted lines stay apart.
document.addEventListener("keydown", (event) => {
  const box = document.querySelector("[data-search]");
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (!box || typing || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  box.focus();
});

document.addEventListener("paste", (event) => {
  if (!event.target.matches("[data-search]")) return;
  const text = event.clipboardData.getData("text");
  if (!/[\r\n]/.test(text)) return;
  event.preventDefault();
  const { selectionStart, selectionEnd, value } = event.target;
  const lines = text.trim().split(/[\r\n]+/).join(", ");
  event.target.value = value.slice(0, selectionStart) + lines + value.slice(selectionEnd);
});

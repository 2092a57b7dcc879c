// Choosing rows: one box chooses all of the page, and the list stays as it is while anything is chosen.
const chosen = () => document.querySelectorAll('#live input[name="order_no"]:checked');

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-choose-all]")) return;
  for (const box of document.querySelectorAll('#live input[name="order_no"]')) box.checked = event.target.checked;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "live" && chosen().length) event.preventDefault();
});

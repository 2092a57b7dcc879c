// Choosing rows: one box chooses all of the page, and the list stays as it is while anything is chosen.
const boxes = (state = "") => document.querySelectorAll(`input[form="bulk"][name="order_no"]${state}`);

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-choose-all]")) return;
  for (const box of boxes()) box.checked = event.target.checked;
});

// Neither is a fresh list asked for, nor is one put in place that was under way already.
for (const step of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
  document.addEventListener(step, (event) => {
    if (event.target.id === "live" && boxes(":checked").length) event.preventDefault();
  });
}

// Says an order's state when it changes: a part of a page that is swapped for another one is not read out by itself.
(() => {
  const state = () => document.querySelector("[data-state]")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  const announcement = document.querySelector("[data-announcement]");
  let known = state();
  document.addEventListener("htmx:afterSwap", () => {
    if (state() !== known) announcement.textContent = known = state();
  });
})();

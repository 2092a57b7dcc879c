// Lets allauth's script ask the browser for a passkey, and says so where it gets none.
(() => {
  const button = document.getElementById("passkey_button");
  if (!button) return;
  const ids = { credential: "passkey_credential", data: "passkey_options" };
  const { addForm, authenticateForm } = window.allauth.webauthn.forms;
  if (button.dataset.passkey === "add") addForm({ ids: { ...ids, add: button.id } });
  else authenticateForm({ ids: { ...ids, authenticate: button.id } });
  button.disabled = false;  // a click before this would have done nothing
  if (button.dataset.passkey === "show") button.focus();
  const problem = document.getElementById("passkey_problem");
  button.addEventListener("click", () => problem.toggleAttribute("hidden", true));
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    problem.toggleAttribute("hidden", false);
  });
})();

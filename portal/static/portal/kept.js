// Puts what was typed before a sign-in ended back into the form that it came from. Nothing is sent.
(() => {
  const { action, fields } = JSON.parse(document.getElementById("kept").textContent);
  const form = [...document.forms].find(({ method, action: to }) => method === "post" && new URL(to).pathname === action);
  if (!form) return;
  const left = new Map();
  for (const [name, value] of fields) left.set(name, [...(left.get(name) ?? []), value]);
  const typed = [...form.elements].filter(({ name, type }) => left.has(name) && !["hidden", "file", "submit"].includes(type));
  for (const field of typed) {
    const values = left.get(field.name);
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = values.includes(option.value);
    else if (values.length) field.value = values.shift();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
})();

// The desk works without this script. It adds two comforts: a form that was sent says so, and a filter form is sent when
// a choice in it is changed.
"use strict";

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || button.form.method !== "post") return;
  button.setAttribute("aria-busy", "true");
  button.form.querySelectorAll("button").forEach((other) => other.setAttribute("aria-disabled", "true"));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[aria-disabled=true]");
  if (button) event.preventDefault();
});

// A page taken back out of the browser's memory shows its forms unsent again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[aria-disabled]").forEach((button) => {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("aria-busy");
  });
});

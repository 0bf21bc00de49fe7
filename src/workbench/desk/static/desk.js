// The desk works without this script. It adds one comfort: a form that was sent says so and is
// not sent a second time by a second click.
"use strict";

const free = (buttons) => buttons.forEach((button) => {
  button.removeAttribute("aria-disabled");
  button.removeAttribute("aria-busy");
});

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || button.form.method !== "post") return;
  const buttons = button.form.querySelectorAll("button");
  button.setAttribute("aria-busy", "true");
  buttons.forEach((other) => other.setAttribute("aria-disabled", "true"));
  setTimeout(() => free(buttons), 8000); // a download leaves the page where it is
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[aria-disabled=true]");
  if (button) event.preventDefault();
});

// A page taken back out of the browser's memory shows its forms unsent again.
window.addEventListener("pageshow", () => free(document.querySelectorAll("button[aria-disabled]")));

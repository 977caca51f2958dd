// Has the browser warn before a text that was typed and not saved is lost. A form that is sent saves its own, not another's.
"use strict";
(() => {
  let sent = null;

  const unsaved = (text) => (text.value !== text.defaultValue || "unsaved" in text.dataset) && text.form !== sent;

  document.addEventListener("submit", (event) => { sent = event.target; });
  window.addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("textarea")].some(unsaved)) event.preventDefault();
    sent = null;
  });
})();

// Tells in time that the session ends for want of work, and lets one stay (WCAG 2.1, 2.2.1). Who hears a recording works.
"use strict";
(() => {
  const box = document.getElementById("ending");
  if (!box) return;
  const patience = Number(box.dataset.seconds) * 1000, ahead = Math.min(120000, patience / 2);
  let timer, before;

  const wait = () => { clearTimeout(timer); timer = setTimeout(ask, patience - ahead); };

  const stay = async () => {
    const answer = await fetch("/stay", { method: "POST", body: new URLSearchParams({ csrf: box.dataset.csrf }), redirect: "manual" });
    if (!answer.ok) { location.assign("/sign-in"); return; }
    box.hidden = true;
    if (before) before.focus();
    wait();
  };

  const ask = () => {
    if ([...document.querySelectorAll("audio")].some((one) => !one.paused)) { stay(); return; }
    before = document.activeElement;
    box.hidden = false;
    box.querySelector("button").focus();
  };

  box.querySelector("button").addEventListener("click", stay);
  wait();
})();

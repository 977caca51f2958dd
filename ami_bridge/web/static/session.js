// Tells in time that the session ends for want of work, and lets one stay (WCAG 2.1, 2.2.1); who hears a recording works.
// Tells in time too when it ends whatever is done, and when it has ended: what was typed can still be copied then.
"use strict";
(() => {
  const box = document.getElementById("ending");
  if (!box) return;
  const words = box.querySelector("p"), button = box.querySelector("button"), said = box.dataset, TOLD = "told-of-the-end";
  const patience = Number(said.seconds) * 1000, ahead = Math.min(120000, patience / 2);
  const last = Number(said.rest) * 1000, warning = 300000;
  const tabs = new BroadcastChannel("session");
  let soon, gone, before, press;

  const tell = (text, name, deed) => {
    if (box.hidden) before = document.activeElement;
    words.textContent = text;
    button.textContent = name;
    press = deed;
    box.hidden = false;
    button.focus();
  };

  const hide = () => {
    box.hidden = true;
    if (before) before.focus();
  };

  const wait = () => {
    clearTimeout(soon);
    clearTimeout(gone);
    soon = setTimeout(ask, patience - ahead);
    gone = setTimeout(over, patience);
  };

  const over = () => {
    for (const timer of [soon, gone, hard, end]) clearTimeout(timer);
    tabs.close();
    tell(said.ended, said.anew, () => location.assign("/sign-in?ended=1"));
  };

  const stay = async () => {
    const form = new URLSearchParams({ csrf: said.csrf });
    const answer = await fetch("/stay", { method: "POST", body: form, redirect: "manual" }).catch(() => null);
    if (!answer) return;  // the network is away: the button can be pressed again
    if (!answer.ok) { over(); return; }
    if (press === stay) hide();
    tabs.postMessage(said.session);
    wait();
  };

  const ask = () => {
    if ([...document.querySelectorAll("audio")].some((one) => !one.paused)) stay();
    else tell(said.soon, said.stay, stay);
  };

  const warn = () => {
    if (sessionStorage.getItem(TOLD) === said.session) return;
    sessionStorage.setItem(TOLD, said.session);
    tell(said.hard, said.understood, hide);
  };

  const hard = setTimeout(warn, Math.max(0, last - warning)), end = setTimeout(over, last);
  button.addEventListener("click", () => press());
  tabs.addEventListener("message", (event) => {
    if (event.data !== said.session) return;
    if (!box.hidden && press === stay) hide();
    wait();
  });
  tabs.postMessage(said.session);
  wait();
})();

// Makes a waveform the player's slider (WAI-ARIA, slider pattern): click, arrow keys, Home, End, space. Without it the
// browser's own controls do.
"use strict";
(() => {
  const STEP = 5, LEAP = 30;

  const clock = (seconds) => {
    const whole = Math.floor(seconds), pad = (number) => String(number).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  };

  const report = (audio, alert) => {
    audio.addEventListener("error", () => { alert.textContent = alert.dataset.failed; alert.className = "problem"; });
    audio.addEventListener("playing", () => { alert.textContent = ""; alert.className = ""; });
  };

  const equip = (player) => {
    const audio = player.querySelector("audio"), wave = player.querySelector(".wave");
    if (!audio) return;
    report(audio, player.querySelector("[role=alert]"));
    if (!wave) return;
    const seconds = Number(player.dataset.seconds);
    const lines = [...wave.querySelectorAll("svg")].map((svg) => [svg.querySelector(".now"), svg.viewBox.baseVal.width]);

    const show = () => {
      const at = Math.min(audio.currentTime, seconds);
      for (const [line, width] of lines) {
        for (const end of ["x1", "x2"]) line.setAttribute(end, String((at / seconds) * width));
      }
      wave.setAttribute("aria-valuenow", String(Math.floor(at)));
      wave.setAttribute("aria-valuetext", `${clock(at)}${wave.dataset.of} ${clock(seconds)}`);
    };

    const seek = (at) => {
      audio.currentTime = Math.max(0, Math.min(seconds, at));
      show();
    };

    const keys = {
      ArrowRight: () => seek(audio.currentTime + STEP), ArrowUp: () => seek(audio.currentTime + STEP),
      ArrowLeft: () => seek(audio.currentTime - STEP), ArrowDown: () => seek(audio.currentTime - STEP),
      PageUp: () => seek(audio.currentTime + LEAP), PageDown: () => seek(audio.currentTime - LEAP),
      Home: () => seek(0), End: () => seek(seconds),
      " ": () => (audio.paused ? audio.play() : audio.pause()),
    };

    const about = { role: "slider", tabindex: "0", "aria-label": wave.dataset.name, "aria-valuemin": "0",
      "aria-valuemax": String(Math.floor(seconds)) };
    for (const [name, value] of Object.entries(about)) wave.setAttribute(name, value);
    wave.addEventListener("click", (event) => {
      const box = wave.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * seconds);
    });
    wave.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    audio.addEventListener("timeupdate", show);
    audio.addEventListener("seeked", show);
    audio.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    });
    player.querySelector(".keys").hidden = false;
    show();
  };

  document.querySelectorAll(".player").forEach(equip);
})();

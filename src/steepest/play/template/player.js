// Which step is shown, and letting it run.

const player = {at: 0, playing: false, speed: 40, last: 0, owed: 0};

function showStep(at) {
  player.at = Math.min(setting.steps, Math.max(0, at));
  find("scrub").max = setting.steps;
  find("scrub").value = player.at;
  find("scrub").setAttribute("aria-valuetext", `step ${player.at} of ${setting.steps}`);
  find("scrub").style.setProperty("--part", `${100 * player.at / setting.steps}%`);
  find("at").textContent = `${player.at} / ${setting.steps}`;
  find("step-back").disabled = find("rewind").disabled = player.at === 0;
  find("step-on").disabled = player.at === setting.steps;
  drawMap();
  moveCursor();
  drawStatus();
  drawAnatomy();
  writeLink();
}

function play(on) {
  if (on && player.at >= setting.steps) showStep(0);
  Object.assign(player, {playing: on, last: 0, owed: 0});
  find("play").replaceChildren(icon(on ? "pause" : "play"));
  find("play").setAttribute("aria-label", on ? "Pause" : "Play");
  if (on) requestAnimationFrame(tick);
}

function tick(now) {
  if (!player.playing) return;
  const passed = player.last ? Math.min(0.2, (now - player.last) / 1000) : 0;
  player.last = now;
  // With reduced motion asked for: a few still pictures, one every half second, in place of a film.
  player.owed += calm.matches ? passed / 0.5 : passed * player.speed;
  const due = Math.floor(player.owed);
  if (due) {
    player.owed -= due;
    showStep(player.at + due * (calm.matches ? Math.ceil(setting.steps / 10) : 1));
  }
  if (player.at >= setting.steps) play(false);
  else requestAnimationFrame(tick);
}

function startPlayer() {
  for (const [id, picture] of [["rewind", "rewind"], ["step-back", "back"], ["play", "play"], ["step-on", "on"]]) find(id).replaceChildren(icon(picture));
  const by = count => () => { play(false); showStep(player.at + count); };
  find("play").addEventListener("click", () => play(!player.playing));
  find("rewind").addEventListener("click", () => { play(false); showStep(0); });
  find("step-back").addEventListener("click", by(-1));
  find("step-on").addEventListener("click", by(1));
  find("scrub").addEventListener("input", event => { play(false); showStep(Number(event.target.value)); });
  find("speed").addEventListener("change", event => { player.speed = Number(event.target.value); });
  addEventListener("keydown", event => {
    if (event.target.closest("input, select, button, summary, pre, a, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") { event.preventDefault(); play(!player.playing); }
  });
}

/**
 * Says NOT MONITORED over the whole screen when no frame was shown for three seconds, by three ways that do not
 * share a fate: this page's timer, an animation that the browser's compositor runs even while scripts hang, and a
 * tone from the audio thread.
 */

import { on, serverNow } from './live';
import { hasWatchdog, sound, tellWatchdog } from './sound';
import { put } from './places';
import { clock } from './words';

const SILENT_MS = 3_000;

let alive = performance.now();
let lastSeen = 0;
let soundedAt = 0;
let quietUntil = 0;

export function start(): void {
  const panel = build();
  const shield = panel.querySelector('.dead-shield')!;
  const compositor = shield.animate({ opacity: [0, 1] }, { duration: SILENT_MS, easing: 'step-end', fill: 'forwards' });
  lastSeen = Date.now();

  on('alive', () => {
    alive = performance.now();
    lastSeen = serverNow();
    quietUntil = 0;
    compositor.currentTime = 0;
    tellWatchdog('fed');
    show(panel, false);
  });
  on('tick', () => {
    const silentMs = performance.now() - alive;
    if (silentMs < SILENT_MS) return;
    show(panel, true);
    put(panel, '[data-since]', `No data since ${clock(lastSeen, true)}, for ${Math.floor(silentMs / 1000)} s.`);
    complain();
  });
}

function complain(): void {
  if (hasWatchdog()) return tellWatchdog('fire');
  if (Date.now() < quietUntil || Date.now() - soundedAt < 5_000) return;
  if (sound('medium')) soundedAt = Date.now();
}

function show(panel: HTMLElement, dead: boolean): void {
  panel.classList.toggle('is-dead', dead);
  panel.querySelector('.dead')!.toggleAttribute('hidden', !dead);
}

function build(): HTMLElement {
  const panel = document.createElement('div');
  const quietS = Number(document.body.dataset['soundPauseS'] ?? 0);
  panel.className = 'dead-man';
  panel.innerHTML = `
    <div class="dead-shield" aria-hidden="true"><b>NOT MONITORED</b></div>
    <div class="dead" role="alertdialog" aria-labelledby="dead-title" aria-describedby="dead-text" hidden>
      <p class="dead-sign" aria-hidden="true">▲ !</p>
      <h2 id="dead-title">NOT MONITORED</h2>
      <p data-since></p>
      <p id="dead-text">This screen gets no data. Watch the patient and the monitor itself.
        To pause or stop, use the keys of the pump. Trying again by itself.</p>
      <p><button type="button" data-quiet>Silence this tone for ${quietS / 60} min</button>
        <a class="button" href="">Load the page again</a></p>
    </div>`;
  panel.querySelector('[data-quiet]')!.addEventListener('click', () => {
    quietUntil = Date.now() + quietS * 1000;
    tellWatchdog(quietS);
  });
  document.body.append(panel);
  return panel;
}

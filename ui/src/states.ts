/** The two states in the top bar that are always true: is this page live, and can it be heard. */

import { PRIORITIES, type Priority } from './frames';
import { on } from './live';
import { put } from './places';
import { open, shut } from './sheet';
import { confirmTest, night, resumeSound, selfTest, type SoundState, soundState } from './sound';
import { duration } from './words';

const SOUND: Readonly<Record<SoundState, string>> = {
  running: 'Sound on',
  suspended: 'Sound OFF: tap to start',
  off: 'Sound OFF: tap to test',
};

export function start(): void {
  connection();
  soundButton();
}

function connection(): void {
  const place = document.getElementById('connection-state');
  let aliveAt = 0;
  let [recording, why] = [true, ''];
  on('alive', () => (aliveAt = performance.now()));
  on('k', (beat) => ({ recording, why } = beat));
  on('tick', () => {
    const silentS = (performance.now() - aliveAt) / 1000;
    const live = silentS < 3;
    // Before the first frame the page says by itself that it connects, and after three seconds that it did not.
    if (!place || (live && aliveAt === 0)) return;
    // Not a live region that changes each second: the words change only with the state.
    const text = !live ? `NOT LIVE for ${duration(silentS)}` : recording ? 'Live' : `Live, NOT RECORDED: ${why}`;
    put(place.parentElement!, '#connection-state', text);
    place.dataset['state'] = !live ? 'dead' : recording ? 'live' : 'unrecorded';
  });
}

/** A button in the top bar, and the question that follows the test. */
function soundButton(): void {
  const place = document.getElementById('sound-state');
  if (!place) return;
  place.innerHTML = '<button type="button"></button>';
  const button = place.querySelector('button')!;
  const refresh = (): void => {
    const state = soundState();
    put(place, 'button', SOUND[state] + (state === 'running' && night() ? ', night' : ''));
    place.dataset['state'] = state;
  };
  const dialog = testDialog(refresh);
  button.addEventListener('click', () => void runTest(dialog, refresh));
  // The browser plays only after a touch; where a person already heard the test, any touch will do.
  for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, resumeSound, { passive: true });
  on('tick', refresh);
  resumeSound();
  refresh();
}

async function runTest(dialog: HTMLDialogElement, refresh: () => void): Promise<void> {
  const lamps = dialog.querySelectorAll<HTMLElement>('[data-prio]');
  const light = (priority?: Priority): void => {
    for (const lamp of lamps) lamp.classList.toggle('is-lit', lamp.dataset['prio'] === priority);
  };
  const say = (text: string): void => put(dialog, '[data-says]', text);
  say('Listen: low, medium, high.');
  open(dialog);
  const played = await selfTest(light).catch(() => false);
  light();
  say(played ? 'Did you hear all three, loud enough for this room?' : 'This browser does not play sound. Watch this screen, or use another.');
  dialog.querySelector<HTMLElement>('[data-answers]')!.hidden = !played;
  refresh();
}

function testDialog(refresh: () => void): HTMLDialogElement {
  const dialog = document.createElement('dialog');
  dialog.className = 'sound-test';
  dialog.setAttribute('aria-labelledby', 'sound-test-title');
  const lamps = [...PRIORITIES].reverse().map((prio) => `<li class="lamp" data-prio="${prio}">${prio}</li>`);
  dialog.innerHTML = `<h2 id="sound-test-title">Test of the alarm sound</h2>
    <ul class="lamps">${lamps.join('')}</ul><p data-says role="status"></p>
    <p class="row" data-answers hidden><button type="button" class="primary" data-heard="yes">Heard all three</button>
    <button type="button" data-heard="no">Not heard</button></p>
    <p><label class="choice"><input type="checkbox"> Night: medium and low half as loud, high as ever</label></p>
    <p><button type="button" data-heard="">Close</button></p>`;
  Object.assign(dialog.querySelector('input')!, { checked: night(), onchange: (event: Event) => night((event.target as HTMLInputElement).checked) });
  for (const button of dialog.querySelectorAll<HTMLElement>('[data-heard]')) {
    button.addEventListener('click', () => {
      const heard = button.dataset['heard'];
      if (heard !== '') confirmTest(heard === 'yes');
      shut(dialog);
      refresh();
    });
  }
  document.body.append(dialog);
  return dialog;
}

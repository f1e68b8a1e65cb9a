/**
 * Buttons that act only when held for one second, by finger or by the space or enter key: stop and pause, one step
 * without a dialog, yet not from a stray touch. Who can only click (a switch, a screen reader) clicks twice.
 */

import { put } from './places';

const [HOLD_MS, SECOND_CLICK_MS] = [1_000, 5_000];

let held: { button: HTMLButtonElement; timer: number } | undefined;
let clicked: { button: HTMLButtonElement; at: number } | undefined;

/** True while a button is held: its surroundings must not be swapped. */
export function holding(): boolean {
  return held !== undefined;
}

export function start(): void {
  const button = (event: Event): HTMLButtonElement | null =>
    (event.target as Element).closest<HTMLButtonElement>('button[data-hold]');
  addEventListener('pointerdown', (event) => {
    const one = button(event);
    if (one && event.button === 0) begin(one);
  });
  for (const end of ['pointerup', 'pointercancel', 'blur', 'visibilitychange']) addEventListener(end, release);
  addEventListener('contextmenu', (event) => button(event) && event.preventDefault());
  addEventListener('pointermove', (event) => {
    // A finger that slides off has thought better of it.
    if (held && document.elementFromPoint(event.clientX, event.clientY)?.closest('button') !== held.button) release();
  });
  addEventListener('keydown', (event) => {
    const one = button(event);
    if (!one || (event.key !== ' ' && event.key !== 'Enter')) return;
    event.preventDefault();
    if (!event.repeat) begin(one);
  });
  addEventListener('keyup', release);
  addEventListener('click', (event) => {
    const one = button(event);
    if (!one) return;
    event.preventDefault();
    if (one.dataset['hold'] === 'done') return; // The finger that held it lets go: no second act.
    // Fingers and mice count their clicks; only a click without a pointer may be doubled instead of held.
    if (event.detail > 0) return say(one, 'Hold for 1 second');
    if (clicked?.button === one && Date.now() - clicked.at < SECOND_CLICK_MS) return act(one);
    clicked = { button: one, at: Date.now() };
    say(one, 'Press again within 5 seconds');
  }, true);
}

function begin(button: HTMLButtonElement): void {
  release();
  button.classList.add('is-held');
  held = { button, timer: setTimeout(() => act(button), HOLD_MS) };
}

function release(): void {
  if (!held) return;
  clearTimeout(held.timer);
  held.button.classList.remove('is-held');
  held = undefined;
}

function act(button: HTMLButtonElement): void {
  release();
  clicked = undefined;
  button.dataset['hold'] = 'done';
  say(button, 'Sending…');
  button.form?.requestSubmit(button);
  // Refused or lost: it can be held again.
  setTimeout(() => {
    button.dataset['hold'] = '';
    say(button, '');
  }, 2_000);
}

function say(button: HTMLButtonElement, text: string): void {
  put(button, '[data-hint]', text || 'hold 1 s');
}

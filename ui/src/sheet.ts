/**
 * htmx, and the sheet over a page in which forms open. Every link and form works without; here an answer of 204
 * means recorded, 422 the same form with its reasons.
 */

import htmx from 'htmx.org/dist/htmx.esm.js';
import { holding } from './hold';
import { forget } from './places';
import { v7 as randomId } from 'uuid';

Object.assign(htmx.config, {
  allowEval: false,
  disableInheritance: true,
  historyCacheSize: 0,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  responseHandling: [
    { code: '204', swap: false }, { code: '[23]..', swap: true },
    { code: '422', swap: true }, { code: '...', swap: false, error: true },
  ],
});

interface Request { target: Element; elt: Element; xhr: XMLHttpRequest; requestConfig: { verb: string }; shouldSwap?: boolean }
const detail = (event: Event): Request => (event as CustomEvent<Request>).detail;

export function start(): void {
  const sheet = document.getElementById('sheet') as HTMLDialogElement | null;
  addEventListener('htmx:beforeSwap', (event) => {
    // Never under a finger that holds a button down, nor over words that someone types.
    const { target, requestConfig } = detail(event);
    const typing = document.activeElement instanceof HTMLInputElement && target.contains(document.activeElement);
    if (requestConfig.verb === 'get' && (holding() || typing)) detail(event).shouldSwap = false;
  });
  addEventListener('htmx:afterSwap', (event) => {
    forget();
    if (sheet?.contains(detail(event).target)) open(sheet);
  });
  addEventListener('htmx:afterRequest', (event) => {
    const { xhr, elt } = detail(event);
    const form = elt.closest('form');
    // Refused for certain: what is sent next is an act of its own.
    if (xhr.status >= 400 && xhr.status < 500) freshId(form);
    if (xhr.status !== 204) return;
    renew(form);
    if (sheet?.contains(elt)) shut(sheet);
    say('Recorded');
  });
  for (const lost of ['htmx:sendError', 'htmx:timeout', 'htmx:responseError']) {
    addEventListener(lost, (event) => {
      const { status } = detail(event).xhr;
      const known = status !== 0 && status !== 500;
      say(known ? 'NOT recorded: nothing was changed. Try again.' : 'NOT KNOWN whether it was recorded. Send the same again: it counts once.', true);
    });
  }
  addEventListener('click', (event) => {
    const target = event.target as Element;
    if (target.closest('[data-close]')) shut(target.closest('dialog'));
    const asked = target.closest<HTMLElement>('[data-opens]');
    const dialog = asked && (document.getElementById(asked.dataset['opens'] ?? '') as HTMLDialogElement | null);
    if (!dialog) return;
    event.preventDefault();
    open(dialog);
  });
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') shut(document.querySelector<HTMLDialogElement>('dialog[open]'));
  });
}

let opener: Element | null = null;

/** Never modal: alarms, stop and pause, and NOT MONITORED stay above and within reach. One at a time. */
export function open(dialog: HTMLDialogElement): void {
  for (const other of document.querySelectorAll<HTMLDialogElement>('dialog[open]')) if (other !== dialog) other.close();
  if (!dialog.open) opener = document.activeElement;
  dialog.show();
  dialog.querySelector<HTMLElement>('.error-summary, input:not([type=hidden]), button')?.focus();
}

export function shut(dialog: HTMLDialogElement | null): void {
  if (!dialog?.open) return;
  dialog.close();
  if (opener instanceof HTMLElement) opener.focus();
}

/** The form is an act of its own again: empty, with a fresh id. A retry of a lost answer keeps the old one. */
function renew(form: HTMLFormElement | null): void {
  if (!form) return;
  form.reset();
  freshId(form);
  shut(form.closest('dialog'));
}

function freshId(form: HTMLFormElement | null): void {
  const id = form?.elements.namedItem('command_id');
  if (id instanceof HTMLInputElement) id.value = randomId();
}

function say(text: string, alert = false): void {
  const place = document.getElementById('toast') ?? document.body.appendChild(document.createElement('div'));
  place.id = 'toast';
  place.setAttribute('role', alert ? 'alert' : 'status');
  place.className = alert ? 'toast is-bad' : 'toast';
  place.textContent = text;
  if (!alert) setTimeout(() => (place.textContent = ''), 3_000);
}

/** Small comforts of the desk: theme without a reload, keys, a screen that stays awake. None acts on a drug. */

import { open } from './sheet';

const KEYS_OFF = 'keys-off';
const KEYS: readonly [string, string][] = [
  ['B', 'Board'],
  ['1 – 8', 'Open that chair'],
  ['V', 'Read the vitals out (screen reader)'],
  ['?', 'This list'],
];

export function start(): void {
  theme();
  keys();
  document.addEventListener('submit', halfTyped, true);
}

/** A browser sends a time of which a half is typed as none, and none means now: it is asked for whole. */
function halfTyped(event: Event): void {
  const half = Array.from((event.target as HTMLFormElement).elements as HTMLCollectionOf<HTMLInputElement>).find((one) => one.validity?.badInput);
  if (half) (event.preventDefault(), event.stopImmediatePropagation(), half.reportValidity());
}

/** The server keeps the choice; here it is only shown at once. */
function theme(): void {
  const form = document.querySelector<HTMLFormElement>('.theme-switch');
  form?.addEventListener('submit', (event) => {
    const button = event.submitter as HTMLButtonElement | null;
    if (!button) return;
    event.preventDefault();
    document.documentElement.dataset['theme'] = button.value;
    for (const other of form.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === button));
    const body = new URLSearchParams(new FormData(form, button) as unknown as Record<string, string>);
    void fetch(form.action, { method: 'POST', body, redirect: 'manual' }).catch(() => undefined);
    document.dispatchEvent(new CustomEvent('theme-changed'));
  });
}

function keys(): void {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'keys-title');
  const rows = KEYS.map(([key, does]) => `<tr><th scope="row"><kbd>${key}</kbd></th><td>${does}</td></tr>`);
  dialog.innerHTML = `<h2 id="keys-title">Keys</h2><table><tbody>${rows.join('')}</tbody></table>
    <p><label class="choice"><input type="checkbox"> Use single keys on this device</label></p>
    <p>No key gives, changes or stops a drug.</p><p><button type="button" data-close>Close</button></p>`;
  const use = dialog.querySelector('input')!;
  use.checked = localStorage.getItem(KEYS_OFF) === null;
  use.addEventListener('change', () => (use.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, '1')));
  const spoken = document.createElement('p');
  spoken.className = 'visually-hidden';
  spoken.setAttribute('role', 'status');
  document.body.append(dialog, spoken);
  addEventListener('keydown', (event) => {
    const typing = (event.target as Element).closest?.('input, select, textarea, dialog[open]');
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '?') return open(dialog);
    if (!use.checked) return;
    const key = event.key.toLowerCase();
    if (key === 'b') location.assign('/board');
    else if (/^[1-8]$/.test(key)) location.assign(`/chair/${key}`);
    else if (key === 'v') spoken.textContent = vitals();
  });
}

function vitals(): string {
  const tiles = [...document.querySelectorAll<HTMLElement>('.tiles [data-tile]')];
  return tiles.map((tile) => tile.innerText.replace(/\s+/g, ' ')).join('. ') || 'No vitals on this page.';
}

/** A tablet at a chair must not sleep. Browsers offer this only with TLS or on the machine itself. */
export function stayAwake(): void {
  const ask = (): void => {
    if (document.visibilityState === 'visible') navigator.wakeLock?.request('screen').catch(() => undefined);
  };
  document.addEventListener('visibilitychange', ask);
  ask();
}

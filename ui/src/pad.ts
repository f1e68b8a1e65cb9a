/** The number pad: digits go into one field after the other by themselves, a scale is a single tap. */

/** How many digits a value has, given its first: nobody has a systolic of 15 or a rate of 2 500. */
export function digits(name: string, text: string): number {
  const first = Number(text[0] ?? 0);
  if (name === 'rr') return first >= 1 && first <= 5 ? 2 : 1;
  if (name === 'spo2') return first === 1 ? 3 : 2;
  return first === 1 || first === 2 || first === 3 && name === 'sbp' ? 3 : 2;
}

/** The field that has just gone on to the next one by itself. */
let filled: HTMLInputElement | undefined;
export function start(): void {
  addEventListener('click', (event) => {
    const key = (event.target as Element).closest<HTMLButtonElement>('[data-pad] [data-key]');
    const pad = key?.closest<HTMLElement>('[data-pad]');
    if (key && pad) press(pad, key.dataset['key'] ?? '');
  });
  for (const [when, act] of [['focusin', choose], ['input', advance]] as const) {
    addEventListener(when, ({ target }) => {
      const field = (target as Element).closest<HTMLInputElement>('[data-pad] input[data-digits]');
      if (field) act(field);
    });
  }
  // What was recorded stands behind the next set, which begins at its first field.
  addEventListener('reset', ({ target }) => {
    const all = fields(target as Element);
    for (const field of all.filter((one) => one.value !== '')) {
      field.placeholder = field.value;
      field.nextElementSibling!.textContent = 'just now';
    }
    if (all[0]) choose(all[0]);
  });
}

function fields(pad: Element): HTMLInputElement[] {
  return [...pad.querySelectorAll<HTMLInputElement>('input[data-digits]')];
}

function choose(field: HTMLInputElement): void {
  const all = fields(field.closest('[data-pad]')!);
  for (const other of all) other.classList.toggle('is-chosen', other === field);
  if (all.some((other) => other === document.activeElement)) field.focus();
}

function press(pad: HTMLElement, key: string): void {
  const all = fields(pad);
  const field = all.find((one) => one.classList.contains('is-chosen')) ?? all[0];
  if (!field) return;
  choose(field);
  if (key === 'back') {
    // An empty field gives the one before it back.
    const target = field.value === '' ? (all[all.indexOf(field) - 1] ?? field) : field;
    target.value = target.value.slice(0, -1);
    choose(target);
  } else if (key === 'next') {
    // A number that was full has gone on by itself, and behind the last field comes none.
    const went = filled !== undefined && filled === all[all.indexOf(field) - 1];
    if (!went || field.value !== '') choose(all[all.indexOf(field) + 1] ?? field);
    filled = undefined;
  } else {
    field.value = complete(field) ? key : field.value + key;
    filled = advance(field) ? field : undefined;
  }
}

function complete(field: HTMLInputElement): boolean {
  return field.value !== '' && field.value.length >= digits(field.name, field.value);
}

/** Whether it went on to the next. */
function advance(field: HTMLInputElement): boolean {
  const all = fields(field.closest('[data-pad]')!);
  const next = all[all.indexOf(field) + 1];
  if (next && complete(field)) choose(next);
  return next !== undefined && complete(field);
}

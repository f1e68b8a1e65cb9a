/**
 * Live numbers of one chair, on its page and on its card. A value is never shown older than it looks: first words,
 * then no value, at the ages its tile says. Values that come at intervals (cuff, by hand) carry their age always.
 */

import type { ChairSample } from './frames';
import { places, put } from './places';
import { countdown, duration } from './words';

const NONE = '---';

/** What a tile shows, by its `data-tile`; pressure is one tile of three values. */
const PARTS: Readonly<Record<string, readonly string[]>> = { bp: ['sbp', 'dbp'] };

/** How one value is to be shown. */
export interface Shown {
  text: string;
  /** Words beside it; empty while it is fresh. */
  note: string;
  state: 'fresh' | 'old' | 'gone';
}

/** Seconds: since the sample came, and the ages at which a value is old and gone (0: never, it comes at intervals). */
export function judge(sample: ChairSample, tile: string, waitedS: number, { oldS, goneS }: Record<'oldS' | 'goneS', number>): Shown {
  const parts = PARTS[tile] ?? [tile];
  const qualities = parts.map((part) => sample.q?.[part]);
  if (qualities.includes('suspect')) return { text: NONE, note: `${parts.flatMap((part) => sample.raw?.[part] ?? []).join('/')} invalid`.trim(), state: 'gone' };
  const values = parts.map((part) => sample.v[part]);
  const ages = parts.map((part) => sample.age[part]).filter((age) => age !== undefined);
  if (qualities.includes('no_value')) return { text: NONE, note: 'no value', state: 'gone' };
  if (values.includes(undefined) || ages.length < parts.length) return { text: NONE, note: 'not measured', state: 'gone' };
  const ageS = Math.max(...ages) + waitedS;
  const text = values.join('/');
  const charted = qualities.includes('charted');
  const atIntervals = goneS === 0;
  if (atIntervals || charted) {
    const note = charted ? `${duration(ageS).replaceAll(' ', '\u00a0')}, hand` : `${duration(ageS)} ago`;
    return { text, note, state: atIntervals && ageS > oldS ? 'old' : 'fresh' };
  }
  if (ageS > goneS) return { text: NONE, note: `no data for ${duration(ageS)}`, state: 'gone' };
  if (ageS > oldS) return { text, note: `${duration(ageS)} old`, state: 'old' };
  return { text, note: '', state: 'fresh' };
}

export class Numbers {
  #sample: ChairSample | undefined;
  #takenMs = 0;

  constructor(readonly root: HTMLElement) {}

  get sample(): ChairSample | undefined {
    return this.#sample;
  }

  take(sample: ChairSample): void {
    this.#sample = sample;
    this.#takenMs = performance.now();
    this.root.classList.toggle('is-unrecorded', !sample.recorded);
    this.#model(sample);
    this.#pump(sample);
    this.refresh();
  }

  /** Ages go on without frames. */
  refresh(): void {
    const sample = this.#sample;
    if (!sample) return;
    const waitedS = (performance.now() - this.#takenMs) / 1000;
    for (const tile of places(this.root, '[data-tile]')) {
      const ages = { oldS: Number(tile.dataset['oldS'] ?? 0), goneS: Number(tile.dataset['goneS'] ?? 0) };
      const shown = judge(sample, tile.dataset['tile']!, waitedS, ages);
      put(tile, '[data-value]', shown.text);
      put(tile, '[data-passed]', (shown.state !== 'gone' && sample.passed?.[tile.dataset['tile']!]) || '');
      put(tile, '[data-note]', shown.note);
      if (tile.dataset['state'] !== shown.state) tile.dataset['state'] = shown.state;
    }
    if (sample.left_s !== undefined) put(this.root, '[data-left]', `${duration(sample.left_s - waitedS)} left`);
    for (const [nth, row] of places(this.root, '[data-due]').entries()) {
      const due = sample.due?.[nth];
      row.hidden = due === undefined;
      if (!due) continue;
      const inS = due.in_s - waitedS;
      put(row, '[data-what]', due.what);
      put(row, '[data-in]', inS < 0 ? countdown(inS) : `in ${countdown(inS)}`);
      row.classList.toggle('is-late', inS < 0);
    }
  }

  #model(sample: ChairSample): void {
    put(this.root, '[data-ce]', sample.ce === undefined ? NONE : String(sample.ce));
    const band = sample.ce_lo !== undefined && sample.ce_hi !== undefined;
    if (band) put(this.root, '[data-ce-band]', `${sample.ce_lo}–${sample.ce_hi}`);
  }

  #pump({ pump }: ChairSample): void {
    if (!pump) return;
    for (const bar of places(this.root, 'progress[data-ml]')) (bar as HTMLProgressElement).value = pump.ml;
    put(this.root, '[data-mg]', pump.mg);
    put(this.root, '[data-rate]', pump.rate);
    for (const line of places(this.root, '[data-pump]')) line.classList.toggle('is-uncertain', !pump.certain);
  }
}

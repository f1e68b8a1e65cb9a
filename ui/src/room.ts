/** Cards of the board and the parts of a chair's page that live on samples. */

import type { ChairSample } from './frames';
import { on, serverNow } from './live';
import { Numbers } from './numbers';
import { put } from './places';
import { clock } from './words';
import htmx from 'htmx.org/dist/htmx.esm.js';

/** Sparklines: one place each ten seconds, twenty minutes in all. Fixed ranges, so that cards compare. */
const SLOT_S = 10;
const SLOTS = 120;
const LINES = [{ key: 'hr', range: [40, 140] }, { key: 'spo2', range: [80, 100] }] as const;

type Card = { numbers: Numbers; trend: Trend | undefined };

export function start(): void {
  if (!document.querySelector('[data-chair]')) return;
  // A card may be swapped for a newer one, so it is found again by its chair.
  const live = new Map<string, Card>();
  const of = (chair: string): Card | undefined => {
    const known = live.get(chair);
    if (known?.numbers.root.isConnected) return known;
    const root = document.querySelector<HTMLElement>(`[data-chair="${CSS.escape(chair)}"]`);
    if (!root) return undefined;
    const svg = root.querySelector<SVGElement>('svg[data-trend]');
    const fresh = { numbers: new Numbers(root), trend: svg ? new Trend(svg, known?.trend) : undefined };
    live.set(chair, fresh);
    return fresh;
  };
  on('s', (frame) => {
    for (const sample of frame.chairs) {
      const card = of(sample.c);
      if (!card) continue;
      card.numbers.take(sample);
      card.trend?.take(sample, frame.t);
      const { root } = card.numbers;
      put(root, '.phase', sample.phase_title);
      if (root.dataset['phase'] === sample.phase) continue;
      root.dataset['phase'] = sample.phase;
      changed(root);
    }
  });
  on('tick', () => {
    for (const { numbers } of live.values()) numbers.refresh();
    put(document, '[data-clock]', clock(serverNow()));
  });
  on('e', (event) => {
    const root = of(event.chair)?.numbers.root;
    if (root) changed(root);
  });
}

/** Parts with `hx-trigger="chair-changed"` fetch themselves anew. */
function changed(root: HTMLElement): void {
  for (const part of [root, ...root.querySelectorAll('[hx-trigger~="chair-changed"]')]) htmx.trigger(part, 'chair-changed');
}

class Trend {
  #slots: Record<string, (number | undefined)[]>;
  #latest = 0;

  constructor(readonly svg: SVGElement, before: Trend | undefined) {
    this.#latest = before ? before.#latest : 0;
    this.#slots = before ? before.#slots : Object.fromEntries(LINES.map(({ key }) => [key, this.#given(key)]));
    this.#draw();
  }

  /** Values that came with the page, the last of them now: `84 84 - 85`. */
  #given(key: string): (number | undefined)[] {
    const values = (this.svg.dataset[key] ?? '').split(' ').filter(Boolean);
    const numbers = values.map((value) => (value === '-' ? undefined : Number(value)));
    return [...new Array<undefined>(SLOTS).fill(undefined), ...numbers].slice(-SLOTS);
  }

  take(sample: ChairSample, tMs: number): void {
    const slot = Math.floor(tMs / 1000 / SLOT_S);
    if (slot <= this.#latest) return;
    const passed = this.#latest === 0 ? 1 : Math.min(SLOTS, slot - this.#latest);
    this.#latest = slot;
    for (const { key } of LINES) {
      const fresh = sample.q?.[key] === undefined && (sample.age[key] ?? Infinity) <= SLOT_S;
      const missed = new Array<undefined>(passed - 1).fill(undefined);
      this.#slots[key] = [...(this.#slots[key] ?? []), ...missed, fresh ? sample.v[key] : undefined].slice(-SLOTS);
    }
    this.#draw();
  }

  #draw(): void {
    for (const { key, range: [low, high] } of LINES) {
      const slots = this.#slots[key] ?? [];
      const path = slots.map((value, x) => {
        if (value === undefined) return '';
        const y = 100 - (100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
        return `${slots[x - 1] === undefined ? 'M' : 'L'}${x} ${y.toFixed(1)}`;
      });
      this.svg.querySelector(`[data-line="${key}"]`)?.setAttribute('d', path.join(''));
    }
  }
}

/** The numbers behind the charts, apart from their drawing: history, gaps, forecast, and words for both. */

import type { ChairSample } from './frames';
import { clock } from './words';

/** A gap longer than this is shown as a gap; within it the line goes on. */
const GAP_S = 15;
export const CONTINUOUS = ['hr', 'spo2', 'rr'] as const;
export type Continuous = (typeof CONTINUOUS)[number];

/** uPlot's words: null breaks the line, undefined does not. */
export type Points = (number | null | undefined)[];

export interface Pressure {
  t: number;
  sbp: number;
  dbp: number;
  by: string;
}

/** `GET /chair/N/history.json`: columns of scaled integers. */
export interface HistoryFile {
  /** Seconds since the epoch of the first row, and seconds from row to row (the first is 0). */
  t0: number;
  dt: number[];
  /** Value = integer / scale. */
  scale: number;
  hr: (number | null)[];
  spo2: (number | null)[];
  rr: (number | null)[];
  bp: { t: number[]; sbp: number[]; dbp: number[]; by: string[] };
  /** Limits in force, drawn as areas, in the parameter's unit; `bp` is the systolic pair. */
  limits: Record<string, [number | null, number | null]>;
  /** Stretches of values that came later than they were measured: nobody saw them then. */
  late?: [number, number][];
}

/** `GET /chair/N/forecast.json?rate=…`; every column begins at t0 and has one value a step. */
export interface ForecastFile {
  t0: number;
  step_s: number;
  /** Seconds since the epoch from which everything is predicted. */
  now: number;
  scale: number;
  /** Finished words. */
  model: string;
  site: string;
  validity: string;
  scenarios: Scenario[];
}

export interface Scenario {
  id: string;
  label: string;
  /** What it would do, in words. */
  says: string;
  ce: number[];
  ce_lo: number[];
  ce_hi: number[];
  cp: number[];
  /** Rate in mL/h, same scale, stepped. */
  rate: number[];
}

/** Marks where a line must break: a value that is missing for longer than the gap, or rows too far apart. */
export function withGaps(times: readonly number[], values: readonly (number | null | undefined)[]): Points {
  let lastGood: number | undefined;
  const points: Points = values.map((value) => value ?? undefined);
  for (const [at, value] of values.entries()) {
    if (value === null || value === undefined) continue;
    const gap = lastGood !== undefined && (times[at] ?? 0) - (times[lastGood] ?? 0) > GAP_S;
    if (gap) points.fill(null, lastGood! + 1, at);
    lastGood = at;
  }
  return points;
}

export class History {
  /** Seconds since the epoch, rising; rows and breaks. */
  readonly times: number[] = [];
  readonly values: Record<Continuous, (number | null)[]> = { hr: [], spo2: [], rr: [] };
  pressures: Pressure[] = [];
  late: [number, number][] = [];
  readonly limits: HistoryFile['limits'];

  constructor(file?: HistoryFile) {
    this.limits = file?.limits ?? {};
    if (!file) return;
    this.late = file.late ?? [];
    let at = file.t0;
    for (const [nth, step] of file.dt.entries()) {
      at += step;
      const row = CONTINUOUS.map((name) => [name, file[name][nth] ?? null] as const);
      this.#push(at, Object.fromEntries(row.map(([name, value]) => [name, value === null ? null : value / file.scale])));
    }
    this.pressures = file.bp.t.map((t, nth) => {
      const of = (column: number[]): number => (column[nth] ?? 0) / file.scale;
      return { t, sbp: of(file.bp.sbp), dbp: of(file.bp.dbp), by: file.bp.by[nth] ?? '' };
    });
  }

  /** Takes a live frame in. A value older than the gap is no value of now. */
  take(sample: ChairSample, tMs: number): void {
    const now = Math.round(tMs / 1000);
    const fresh = (name: string): number | null => {
      const good = sample.q?.[name] === undefined && (sample.age[name] ?? Infinity) <= GAP_S;
      return good ? (sample.v[name] ?? null) : null;
    };
    this.#push(now, Object.fromEntries(CONTINUOUS.map((name) => [name, fresh(name)])));
    const { sbp, dbp } = sample.v;
    const age = sample.age['sbp'];
    if (sbp === undefined || dbp === undefined || age === undefined || sample.q?.['sbp'] === 'suspect') return;
    const t = Math.round(tMs / 1000 - age);
    const last = this.pressures.at(-1);
    const same = last !== undefined && Math.abs(last.t - t) < 5 && last.sbp === sbp && last.dbp === dbp;
    if (same || (last !== undefined && t < last.t - 5)) return;
    this.pressures.push({ t, sbp, dbp, by: sample.q?.['sbp'] === 'charted' ? 'hand' : 'auto' });
  }

  /** Rows rise in time; a long silence gets a row of nothing, so that no line spans it. */
  #push(at: number, row: Record<string, number | null>): void {
    const last = this.times.at(-1);
    if (last !== undefined && at <= last) return;
    if (last !== undefined && at - last > GAP_S) {
      this.times.push(last + 1);
      for (const name of CONTINUOUS) this.values[name].push(null);
    }
    this.times.push(at);
    for (const name of CONTINUOUS) this.values[name].push(row[name] ?? null);
  }

  line(name: Continuous): Points {
    return withGaps(this.times, this.values[name]);
  }

  /** Values with nobody beside them make no line, but a dot: what is charted by hand comes now and then. */
  lone(name: Continuous): number[] {
    const there = [...this.times.keys()].filter((at) => this.values[name][at] !== null);
    const far = (a?: number, b?: number): boolean => a === undefined || b === undefined || this.times[b]! - this.times[a]! > GAP_S;
    return there.filter((at, nth) => far(there[nth - 1], at) && far(at, there[nth + 1]));
  }

  /** One sentence a panel for those who do not see the chart. */
  summary(): string {
    const names = { hr: 'Heart rate', spo2: 'SpO₂', rr: 'Respiratory rate' } as const;
    const sentences = CONTINUOUS.map((name) => {
      const values = this.values[name].filter((value) => value !== null);
      if (values.length === 0) return `${names[name]}: nothing measured.`;
      return `${names[name]} ${Math.min(...values)} to ${Math.max(...values)}, now ${values.at(-1)}.`;
    });
    const last = this.pressures.at(-1);
    const pressure = last ? `Blood pressure last ${last.sbp}/${last.dbp} at ${clock(last.t * 1000)}, ${this.pressures.length} readings.` : 'No blood pressure yet.';
    return [pressure, ...sentences].join(' ');
  }

  /** Newest first, one row a step: time and the value nearest before it. */
  table(stepS: number): string[][] {
    const rows: string[][] = [];
    const end = this.times.at(-1);
    if (end === undefined) return this.pressures.map((one) => [clock(one.t * 1000), `${one.sbp}/${one.dbp}`, '', '', '']).reverse();
    const begin = Math.min(this.times[0] ?? end, this.pressures[0]?.t ?? end);
    for (let from = end - (end % stepS); from > begin - stepS; from -= stepS) {
      const inStep = (t: number): boolean => t >= from && t < from + stepS;
      const pressure = this.pressures.findLast((one) => inStep(one.t));
      const cells = CONTINUOUS.map((name) => {
        const at = this.times.findLastIndex((t, nth) => inStep(t) && this.values[name][nth] !== null);
        return at < 0 ? '' : String(this.values[name][at]);
      });
      if (pressure || cells.some((cell) => cell !== '')) {
        rows.push([clock(from * 1000), pressure ? `${pressure.sbp}/${pressure.dbp}` : '', ...cells]);
      }
    }
    return rows;
  }
}

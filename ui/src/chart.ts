/** The charts of one chair: panels one under another over one time axis, measured above, predicted below. */

import uPlot from 'uplot';
import type { SampleFrame } from './frames';
import { on, serverNow } from './live';
import { put } from './places';
import { type Continuous, type ForecastFile, History, type HistoryFile, type Points, type Scenario } from './series';
import { clock, offsetMin } from './words';

/** Fixed for every patient, so that a height always means the same. A value outside widens it and says so. */
const AXES: Readonly<Record<string, [number, number]>> = { bp: [40, 200], hr: [30, 150], spo2: [80, 102], rr: [0, 36], ce: [0, 300] };
const HEIGHTS: Readonly<Record<string, number>> = { bp: 150, hr: 88, spo2: 78, rr: 72, ce: 164 };
const TITLES: Readonly<Record<string, string>> = {
  bp: 'NIBP mmHg   ∨ systolic  ∧ diastolic',
  hr: 'HR /min',
  spo2: 'SpO₂ %',
  rr: 'RR /min',
  ce: 'Ketamine ng/mL, MODEL, not measured   — effect site  ┄ plasma',
};
/** Where "now" stands in the window, and by how much the window moves at a time. */
const NOW_AT = 0.4;
const SHIFT_S = 300;
const FORECAST_EVERY_S = 30;
const CARET_MMHG = 12;
/** Pressures may stand anywhere, so that the words about them stand above all. */
const WORDS_PX: Readonly<Record<string, number>> = { bp: 20 };
const LEFT_PX = 46;
const AXIS_PX = 24;

export function start(root: HTMLElement): void {
  void new Charts(root).load();
}

class Charts {
  #history = new History();
  #forecast: ForecastFile | undefined;
  #plots = new Map<string, uPlot>();
  #colours: Record<string, string> = {};
  #windowS = 7200;
  #scenario = 'continue';
  #rate = '';
  #forecastAt = 0;
  readonly #box: HTMLElement;

  constructor(readonly root: HTMLElement) {
    this.#box = root.querySelector<HTMLElement>('[data-panels]')!;
  }

  async load(): Promise<void> {
    this.#build();
    this.#controls();
    await this.#reload();
    on('s', (frame) => this.#take(frame));
    on('e', (event) => {
      if (event.chair === this.#chair) void this.#reload();
    });
    new ResizeObserver(() => this.#resize()).observe(this.#box);
    for (const media of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(media).addEventListener('change', () => this.#build());
    }
    document.addEventListener('theme-changed', () => this.#build());
  }

  /** What was charted or amended belongs into its place in time, and a new rate into the forecast. */
  async #reload(): Promise<void> {
    const [history] = await Promise.all([this.#get<HistoryFile>('history.json'), this.#loadForecast()]);
    if (history) this.#history = new History(history);
    this.#redraw();
    put(this.root, '[data-summary]', this.#history.summary());
  }

  get #chair(): string {
    return this.root.dataset['charts'] ?? '';
  }

  get #panels(): string[] {
    return (this.#box.dataset['panels'] ?? '').split(' ').filter(Boolean);
  }

  async #get<T>(file: string): Promise<T | undefined> {
    const answer = await fetch(`/chair/${encodeURIComponent(this.#chair)}/${file}`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as T) : undefined;
  }

  async #loadForecast(): Promise<void> {
    this.#forecastAt = serverNow();
    const query = this.#rate === '' ? '' : `?rate=${encodeURIComponent(this.#rate)}`;
    this.#forecast = await this.#get<ForecastFile>(`forecast.json${query}`);
    this.#scenarios();
  }

  #take(frame: SampleFrame): void {
    const sample = frame.chairs.find((chair) => chair.c === this.#chair);
    if (!sample) return;
    this.#history.take(sample, frame.t);
    if (serverNow() - this.#forecastAt > FORECAST_EVERY_S * 1000) void this.#loadForecast().then(() => this.#redraw());
    if (document.visibilityState === 'visible') this.#redraw();
  }

  #range(): [number, number] {
    const now = serverNow() / 1000;
    const begin = Math.floor((now - NOW_AT * this.#windowS) / SHIFT_S) * SHIFT_S;
    return [begin, begin + this.#windowS];
  }

  #chosen(): Scenario | undefined {
    const scenarios = this.#forecast?.scenarios ?? [];
    return scenarios.find((one) => one.id === this.#scenario) ?? scenarios[0];
  }

  #data(panel: string): uPlot.AlignedData {
    const h = this.#history;
    if (panel === 'bp') {
      return [h.pressures.map((one) => one.t), h.pressures.map((one) => one.sbp), h.pressures.map((one) => one.dbp)];
    }
    if (panel !== 'ce') return [h.times, h.line(panel as Continuous)] as uPlot.AlignedData;
    const f = this.#forecast;
    const one = this.#chosen();
    if (!f || !one) return [[], [], [], [], [], [], []];
    const times = one.ce.map((_, nth) => f.t0 + nth * f.step_s);
    const split = (past: boolean): Points => one.ce.map((value, nth) => {
      const at = times[nth] ?? 0;
      // The step that holds "now" belongs to both, so that the line is whole.
      return (past ? at <= f.now : at + f.step_s > f.now) ? value / f.scale : null;
    });
    const scaled = (values: number[]): number[] => values.map((value) => value / f.scale);
    const data = [times, split(true), split(false), scaled(one.ce_hi), scaled(one.ce_lo), scaled(one.cp), scaled(one.rate)];
    return data as uPlot.AlignedData;
  }

  #redraw(): void {
    const [min, max] = this.#range();
    for (const [panel, plot] of this.#plots) {
      plot.setData(this.#data(panel), false);
      plot.batch(() => {
        plot.setScale('x', { min, max });
        const [low, high] = this.#span(panel);
        plot.setScale('y', { min: low, max: high });
      });
    }
  }

  #span(panel: string): [number, number] {
    const [low, high] = AXES[panel] ?? [0, 100];
    const [, ...columns] = this.#data(panel);
    const values = columns.slice(0, panel === 'ce' ? 4 : 2).flatMap((column) => [...column].filter((v) => v !== null && v !== undefined));
    const step = panel === 'ce' ? 100 : 10;
    // A caret stands beyond its value, and has to be seen whole.
    const caret = panel === 'bp' ? CARET_MMHG : 0;
    const least = values.reduce((a, b) => Math.min(a, b - caret), low);
    const most = values.reduce((a, b) => Math.max(a, b + caret), high);
    return [least < low ? Math.floor(least / step) * step : low, most > high ? Math.ceil(most / step) * step : high];
  }

  #build(): void {
    this.#colours = colours(this.root);
    for (const plot of this.#plots.values()) plot.destroy();
    this.#plots.clear();
    this.#box.replaceChildren();
    for (const panel of this.#panels) {
      const place = document.createElement('div');
      place.className = 'panel';
      this.#box.append(place);
      this.#plots.set(panel, new uPlot(this.#options(panel), this.#data(panel), place));
    }
    this.#redraw();
    put(this.root, '[data-summary]', this.#history.summary());
  }

  #options(panel: string): uPlot.Options {
    const last = panel === this.#panels.at(-1);
    const c = this.#colours;
    const quiet = { font: '12px Inter, system-ui, sans-serif', stroke: c['fg2']!, ticks: { show: false } };
    const grid = { stroke: c['line']!, width: 1 };
    const x: uPlot.Axis = { ...quiet, grid, size: last ? AXIS_PX : 0, space: 56, incrs: [300, 600, 900, 1800, 3600], values: (_, at) => (last ? at.map((t) => clock(t * 1000)) : at.map(() => '')) };
    // A label on the very edge would be cut in half.
    const inside = ({ scales: { y: { min = 0, max = 1 } = {} } }: uPlot, at: number[]): (number | null)[] =>
      at.map((v) => (Math.abs((v - min) / (max - min) - 0.5) < 0.44 ? v : null));
    const y: uPlot.Axis = { ...quiet, grid, size: LEFT_PX, space: 22, gap: 4, filter: inside };
    return {
      width: this.#box.clientWidth,
      height: this.#height(panel),
      tzDate: (t) => uPlot.tzDate(new Date((t + offsetMin() * 60) * 1000), 'UTC'),
      legend: { show: false },
      cursor: { sync: { key: 'chair' }, y: false, drag: { x: false, y: false } },
      padding: [WORDS_PX[panel] ?? 6, 20, 0, 0],
      scales: { x: { time: true, range: () => this.#range() }, y: { range: () => this.#span(panel) } },
      axes: [x, y],
      series: [{}, ...this.#series(panel)],
      ...(panel === 'ce' ? { bands: [{ series: [3, 4] as [number, number], fill: c['ceBand']! }] } : {}),
      // Words lie under what was measured, never over it.
      hooks: { drawAxes: [(plot) => this.#ground(plot, panel), (plot) => this.#words(plot, panel)], draw: panel === 'bp' ? [(plot) => this.#carets(plot)] : [], setCursor: [(plot) => this.#reading(plot)] },
    };
  }

  /** Panels share the height that the page leaves; the last one carries the time axis. */
  #height(panel: string): number {
    const panels = this.#panels;
    const all = panels.reduce((sum, one) => sum + (HEIGHTS[one] ?? 80), 0);
    const stretch = (this.#box.clientHeight - AXIS_PX - panels.length) / all;
    const own = Math.floor((HEIGHTS[panel] ?? 80) * Math.min(2, Math.max(0.5, stretch)));
    return own + (panel === panels.at(-1) ? AXIS_PX : 0);
  }

  #series(panel: string): uPlot.Series[] {
    const c = this.#colours;
    const bare = { points: { show: false } };
    const none = { ...bare, stroke: 'transparent' };
    if (panel === 'bp') return [none, none];
    const dots = { size: 6, fill: c[panel]!, filter: (): number[] => this.#history.lone(panel as Continuous) };
    if (panel !== 'ce') return [{ points: { ...bare.points, ...dots }, stroke: c[panel]!, width: 1.75 }];
    return [
      { ...bare, stroke: c['ce']!, width: 2.5 },
      { ...bare, stroke: c['ce']!, width: 2.5, dash: [8, 5] },
      none,
      none,
      { ...bare, stroke: c['ce']!, width: 1, dash: [2, 3] },
      { ...bare, stroke: c['rate']!, width: 1.5, fill: c['rateArea']!, paths: uPlot.paths.stepped!({ align: 1 }) },
    ];
  }

  #ground(plot: uPlot, panel: string): void {
    const g = plot.ctx;
    const { left, top, width, height } = plot.bbox;
    const now = plot.valToPos(serverNow() / 1000, 'x', true);
    g.save();
    const [low, high] = this.#history.limits[panel] ?? [null, null];
    if (low !== null || high !== null) {
      const a = Math.max(top, high === null ? top : plot.valToPos(high, 'y', true));
      const b = Math.min(top + height, low === null ? top + height : plot.valToPos(low, 'y', true));
      g.fillStyle = this.#colours['normal']!;
      g.fillRect(left, a, width, b - a);
    }
    g.fillStyle = this.#colours['future']!;
    for (const [from, to] of panel === 'ce' ? [] : this.#history.late) {
      const x = plot.valToPos(from, 'x', true);
      g.fillRect(x, top, Math.max(3, plot.valToPos(to, 'x', true) - x), height);
    }
    if (now < left + width) {
      g.fillRect(Math.max(left, now), top, left + width - Math.max(left, now), height);
      g.strokeStyle = this.#colours['fg']!;
      g.lineWidth = 1.5 * devicePixelRatio;
      g.beginPath();
      g.moveTo(now, top);
      g.lineTo(now, top + height);
      g.stroke();
    }
    g.restore();
  }

  #words(plot: uPlot, panel: string): void {
    const g = plot.ctx;
    const k = devicePixelRatio;
    g.save();
    const [low, high] = this.#span(panel);
    const usual = AXES[panel] ?? [0, 100];
    const wider = low < usual[0] || high > usual[1] ? '   (scale widened)' : '';
    Object.assign(g, { font: `600 ${12.5 * k}px Inter, system-ui, sans-serif`, textAlign: 'left', textBaseline: 'top' });
    const text = `${TITLES[panel] ?? panel}${panel === 'ce' ? '   ■ rate mL/h' : ''}${wider}`;
    const [x, y] = [plot.bbox.left + 6 * k, plot.bbox.top + (panel in WORDS_PX ? -17 : 3) * k];
    g.fillStyle = this.#colours[panel]!;
    g.fillText(text, x, y);
    if (panel === 'ce') {
      g.font = `${12 * k}px Inter, system-ui, sans-serif`;
      g.fillStyle = this.#colours['fg2']!;
      g.fillText('predicted →', plot.valToPos(serverNow() / 1000, 'x', true) + 8 * k, y + 20 * k);
    }
    g.restore();
  }

  /** As anaesthetists draw it: ∨ systolic, ∧ diastolic, a thin line between, no line from reading to reading. */
  #carets(plot: uPlot): void {
    const g = plot.ctx;
    const k = devicePixelRatio;
    const w = 6 * k;
    const { left, top, width, height } = plot.bbox;
    g.save();
    g.beginPath();
    g.rect(left, top, width, height);
    g.clip();
    g.strokeStyle = this.#colours['bp']!;
    for (const { t, sbp, dbp } of this.#history.pressures) {
      const x = plot.valToPos(t, 'x', true);
      const [a, b] = [plot.valToPos(sbp, 'y', true), plot.valToPos(dbp, 'y', true)];
      g.lineWidth = 2 * k;
      g.beginPath();
      for (const [y, up] of [[a, -1], [b, 1]] as const) {
        g.moveTo(x - w, y + up * w);
        g.lineTo(x, y);
        g.lineTo(x + w, y + up * w);
      }
      g.stroke();
      g.lineWidth = k;
      g.globalAlpha = 0.45;
      g.beginPath();
      g.moveTo(x, a);
      g.lineTo(x, b);
      g.stroke();
      g.globalAlpha = 1;
    }
    g.restore();
  }

  /** The reading line's time and values, in words under the charts. */
  #reading(plot: uPlot): void {
    const left = plot.cursor.left ?? -1;
    if (left < 0) return;
    const t = plot.posToVal(left, 'x');
    const at = this.#history.times.findLastIndex((time) => time <= t);
    const near = at >= 0 && t - this.#history.times[at]! <= 60;
    const value = (name: Continuous): string => String((near ? this.#history.values[name][at] : null) ?? '–');
    const bp = this.#history.pressures.findLast((one) => one.t <= t);
    const f = this.#forecast;
    const ce = f && this.#chosen()?.ce[Math.round((t - f.t0) / f.step_s)];
    const model = f && ce !== undefined ? `   Ce ${Math.round(ce / f.scale)} ng/mL MODEL` : '';
    const pressure = bp && t - bp.t <= 1800 ? `${bp.sbp}/${bp.dbp} at ${clock(bp.t * 1000)}` : '–';
    put(this.root, '[data-reading]', `${clock(t * 1000)}${this.#history.late.some(([from, to]) => from <= t && t <= to) ? ' (came later)' : ''}   BP ${pressure}   HR ${value('hr')}   SpO₂ ${value('spo2')}   RR ${value('rr')}${model}`);
  }

  #resize(): void {
    const width = this.#box.clientWidth;
    for (const [panel, plot] of this.#plots) {
      const height = this.#height(panel);
      if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
    }
  }

  #controls(): void {
    this.#box.tabIndex = 0;
    this.#box.addEventListener('keydown', (event) => this.#move(event));
    for (const button of this.root.querySelectorAll<HTMLButtonElement>('[data-window-min]')) {
      button.addEventListener('click', () => {
        this.#windowS = Number(button.dataset['windowMin']) * 60;
        for (const other of this.root.querySelectorAll('[data-window-min]')) other.setAttribute('aria-pressed', String(other === button));
        this.#redraw();
      });
    }
    this.root.querySelector('[data-opens=chart-table]')?.addEventListener('click', () => this.#table());
    this.root.querySelector<HTMLFormElement>('form[data-forecast]')?.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#rate = String(new FormData(event.target as HTMLFormElement).get('rate') ?? '');
      this.#scenario = this.#rate === '' ? 'continue' : 'change';
      void this.#loadForecast().then(() => this.#redraw());
    });
  }

  #move(event: KeyboardEvent): void {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const first = this.#plots.values().next().value;
    if (steps === undefined || !first) return;
    event.preventDefault();
    const minutePx = first.valToPos(first.scales['x']!.min! + 60, 'x');
    const from = first.cursor.left! >= 0 ? first.cursor.left! : first.valToPos(serverNow() / 1000, 'x');
    first.setCursor({ left: from + steps * minutePx * (event.shiftKey ? 10 : 1), top: 1 });
  }

  #scenarios(): void {
    const place = this.root.querySelector<HTMLElement>('[data-scenarios]');
    const f = this.#forecast;
    if (!place) return;
    if (!f) {
      put(this.root, '[data-says]', 'No forecast to be had.');
      return place.replaceChildren();
    }
    if (!f.scenarios.some((one) => one.id === this.#scenario)) this.#scenario = f.scenarios[0]?.id ?? '';
    const shown = [...place.querySelectorAll<HTMLButtonElement>('button')];
    if (shown.map((button) => button.textContent).join('\n') !== f.scenarios.map((one) => one.label).join('\n')) {
      place.replaceChildren(...f.scenarios.map((one) => this.#scenarioButton(one)));
    }
    for (const button of place.querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.value === this.#scenario));
    put(this.root, '[data-says]', [this.#chosen()?.says, f.model, f.site, f.validity].filter(Boolean).join(' · '));
  }

  #scenarioButton(scenario: Scenario): HTMLButtonElement {
    const button = Object.assign(document.createElement('button'), { type: 'button', value: scenario.id, textContent: scenario.label });
    button.addEventListener('click', () => {
      this.#scenario = scenario.id;
      this.#scenarios();
      this.#redraw();
    });
    return button;
  }

  #table(): void {
    const cell = (textContent: string, nth: number): HTMLElement =>
      Object.assign(document.createElement(nth === 0 ? 'th' : 'td'), { textContent }, nth === 0 ? { scope: 'row' } : {});
    const rows = this.#history.table(SHIFT_S).map((cells) => {
      const row = document.createElement('tr');
      row.append(...cells.map(cell));
      return row;
    });
    document.querySelector('#chart-table tbody')?.replaceChildren(...rows);
  }
}

/** Colours as the theme has them now; a canvas does not know of style sheets. */
function colours(root: HTMLElement): Record<string, string> {
  const probe = document.createElement('i');
  root.append(probe);
  const read = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const names = { fg: '--fg', fg2: '--fg2', line: '--grid', panel: '--bg', bp: '--p-bp', hr: '--p-hr', spo2: '--p-spo2', rr: '--p-rr', ce: '--p-ce', ceBand: '--p-ce-band', rate: '--p-rate', rateArea: '--p-rate-area', normal: '--normal', future: '--future' };
  const found = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, read(name)]));
  probe.remove();
  return found;
}

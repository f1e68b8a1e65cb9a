/**
 * The alarm strip on every page: one alarm large, the rest in a list by priority, what is over after what holds, the
 * newest first. Nothing is raised or cleared here; the server does that, this only shows and sounds.
 */

import htmx from 'htmx.org/dist/htmx.esm.js';
import { type Alarm, PRIORITIES, type Priority } from './frames';
import { v7 as randomId } from 'uuid';
import { csrf, on, serverNow } from './live';
import { places, put } from './places';
import { BURSTS, burstLengthS, sound, soundState } from './sound';
import { clock, countdown } from './words';

const SIGNS: Readonly<Record<Priority, string>> = { high: '▲ !!!', medium: '▲ !!', low: '▲ !' };
const NAMES: Readonly<Record<Priority, string>> = { high: 'High', medium: 'Medium', low: 'Low' };

let alarms: Alarm[] = [];
let [soundedAt, soundedUntil] = [0, 0];
let soundedPriority: Priority | undefined;
/** Alarms that were heard at least once with their priority; a new or a worse one sounds at once. */
let heard = new Set<string>();

export function ordered(list: readonly Alarm[]): Alarm[] {
  const rank = (alarm: Alarm): number => 2 * PRIORITIES.indexOf(alarm.prio) + (alarm.latched ? 1 : 0) + (alarm.acked_by === null ? 0 : 6);
  return [...list].sort((a, b) => rank(a) - rank(b) || b.since - a.since);
}

/** Alarms that are to be heard now: not acknowledged, not paused; the worst first, be it over or not. */
export function audible(list: readonly Alarm[], now: number): Alarm[] {
  const worstFirst = (a: Alarm, b: Alarm): number => PRIORITIES.indexOf(a.prio) - PRIORITIES.indexOf(b.prio);
  return list.filter(({ sound, acked_by, paused_until }) => sound && acked_by === null && (paused_until ?? 0) <= now).sort(worstFirst);
}

export function start(): void {
  const strip = document.getElementById('alarm-strip');
  const pattern = document.querySelector<HTMLTemplateElement>('#alarm-row');
  on('a', (frame) => {
    alarms = ordered(frame.alarms);
    if (strip && pattern) show(strip, pattern);
    mark();
    speak();
  });
  document.addEventListener('htmx:afterSettle', mark);
  on('tick', () => {
    if (strip) countDown(strip);
    speak();
  });
}

function show(strip: HTMLElement, pattern: HTMLTemplateElement): void {
  const [first, ...rest] = alarms;
  keep(strip.querySelector<HTMLElement>('[data-alarm-top]')!, first ? [first] : [], pattern);
  keep(strip.querySelector<HTMLElement>('[data-alarm-rest]')!, rest, pattern);
  strip.querySelector<HTMLElement>('[data-alarm-list]')!.hidden = rest.length === 0;
  put(strip, '[data-alarm-count]', `1 of ${alarms.length}`);
  strip.classList.toggle('is-empty', first === undefined);
}

/** Rows stay the same elements while their alarm stands, so that no button changes under a finger. */
function keep(place: HTMLElement, list: readonly Alarm[], pattern: HTMLTemplateElement): void {
  const rows = new Map([...place.children].map((row) => [(row as HTMLElement).dataset['alarm'], row as HTMLElement]));
  for (const [nth, alarm] of list.entries()) {
    let row = rows.get(alarm.id);
    rows.delete(alarm.id);
    if (!row) {
      row = (pattern.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
      row.dataset['alarm'] = alarm.id;
      // Spoken once, when it appears; low ones and those already seen by somebody are not spoken.
      if (alarm.prio !== 'low' && alarm.acked_by === null) row.setAttribute('role', 'alert');
      htmx.process(row);
    }
    fill(row, alarm);
    if (place.children[nth] !== row) place.insertBefore(row, place.children[nth] ?? null);
  }
  for (const gone of rows.values()) gone.remove();
}

function fill(row: HTMLElement, alarm: Alarm): void {
  row.dataset['prio'] = alarm.prio;
  for (const [name, is] of [['is-acknowledged', alarm.acked_by !== null], ['is-over', alarm.latched]] as const) row.classList.toggle(name, is);
  row.dataset['pausedUntil'] = String(alarm.paused_until ?? '');
  put(row, '[data-sign]', SIGNS[alarm.prio]);
  put(row, '[data-prio-name]', NAMES[alarm.prio]);
  put(row, '[data-where]', `Chair ${alarm.chair}`);
  put(row, '[data-text]', alarm.text);
  put(row, '[data-since]', `${alarm.latched ? 'OVER, came at' : 'since'} ${clock(alarm.since)}`);
  put(row, '[data-acked]', alarm.acked_by === null ? '' : `seen by ${alarm.acked_by}`);
  put(row, '[data-unrecorded]', alarm.recorded ? '' : 'NOT RECORDED');
  row.querySelector<HTMLAnchorElement>('a[data-open]')?.setAttribute('href', `/chair/${alarm.chair}`);
  for (const form of row.querySelectorAll('form')) {
    form.hidden = alarm.acked_by !== null;
    if (form.dataset['for'] === alarm.id) continue;
    form.dataset['for'] = alarm.id;
    for (const [name, value] of [['csrf', csrf()], ['command_id', randomId()], ['alarm', alarm.id]] as const) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = value;
    }
  }
}

function countDown(strip: HTMLElement): void {
  for (const row of strip.querySelectorAll<HTMLElement>('[data-paused-until]')) {
    const left = (Number(row.dataset['pausedUntil']) - serverNow()) / 1000;
    put(row, '[data-paused]', left > 0 ? `Sound paused ${countdown(left)}` : '');
    row.classList.toggle('is-paused', left > 0);
  }
}

/** The number that an alarm is about is marked too, with a sign and not by colour alone. */
function mark(): void {
  const byChair = new Map<string, Alarm[]>();
  for (const alarm of alarms) byChair.set(alarm.chair, [...(byChair.get(alarm.chair) ?? []), alarm]);
  for (const card of places(document, '[data-chair]')) {
    const here = byChair.get(card.dataset['chair']!) ?? [];
    showOnCard(card, here);
    for (const tile of places(card, '[data-tile]')) priority(tile, here.find((alarm) => alarm.tile === tile.dataset['tile']));
  }
}

/** Also what changes nothing would cost a new style. */
function priority(place: HTMLElement, alarm: Alarm | undefined): void {
  if (place.dataset['alarm'] !== (alarm?.prio ?? '')) place.dataset['alarm'] = alarm?.prio ?? '';
}

/** On a card of the board: the worst alarm in words. On a chair's page the strip has it. */
function showOnCard(card: HTMLElement, [worst, ...others]: readonly Alarm[]): void {
  priority(card, worst);
  card.classList.toggle('is-acknowledged', (worst?.acked_by ?? null) !== null);
  const more = others.length > 0 ? ` (1 of ${others.length + 1})` : '';
  put(card, '[data-card-alarm]', worst ? `${SIGNS[worst.prio]} ${worst.text}${more}` : '');
}

function speak(): void {
  const [worst] = audible(alarms, serverNow());
  if (!worst || soundState() !== 'running') return;
  const news = audible(alarms, serverNow()).filter((alarm) => !heard.has(`${alarm.prio} ${alarm.id}`));
  const now = performance.now();
  const outranks = soundedPriority === undefined || PRIORITIES.indexOf(worst.prio) < PRIORITIES.indexOf(soundedPriority);
  // A running burst is cut short by nothing but a higher priority.
  if (now < soundedUntil && !outranks) return;
  const { repeatS } = BURSTS[worst.prio];
  const again = repeatS > 0 && now - soundedAt >= repeatS * 1000;
  if (!again && !news.some((alarm) => alarm.prio === worst.prio)) return;
  if (!sound(worst.prio)) return;
  soundedAt = now;
  soundedUntil = now + burstLengthS(worst.prio) * 1000;
  soundedPriority = worst.prio;
  const standing = new Set(alarms.map((alarm) => `${alarm.prio} ${alarm.id}`));
  heard = new Set([...heard, ...news.map((alarm) => `${alarm.prio} ${alarm.id}`)].filter((key) => standing.has(key)));
}

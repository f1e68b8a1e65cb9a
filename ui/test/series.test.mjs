// Numbers behind the charts and on the tiles: what is missing stays missing.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { moduleOf } from './clinic.mjs';

const { History, withGaps } = await moduleOf('series');
const { judge } = await moduleOf('numbers');
const CONTINUOUS = { oldS: 5, goneS: 10 };
const CONTINUOUS_NAMES = ['hr', 'spo2', 'rr'];
const CUFF = { oldS: 1200, goneS: 0 };
const { digits } = await moduleOf('pad');
const { countdown, duration } = await moduleOf('words');

const file = (more) => ({ t0: 1000, dt: [0], scale: 1, hr: [80], spo2: [97], rr: [14], bp: { t: [], sbp: [], dbp: [], by: [] }, limits: {}, ...more });

test('a short dropout is bridged, a gap of more than 15 s is a gap', () => {
  assert.deepEqual(withGaps([0, 5, 10], [80, null, 82]), [80, undefined, 82]);
  assert.deepEqual(withGaps([0, 8, 16, 24], [80, null, null, 82]), [80, null, null, 82]);
});

test('a silence in the history breaks every line', () => {
  const history = new History(file({ dt: [0, 60], hr: [80, 90], spo2: [97, 96], rr: [14, 15] }));
  assert.deepEqual(history.times, [1000, 1001, 1060]);
  assert.deepEqual(history.line('hr'), [80, null, 90]);
});

test('a value with nobody within the gap is a dot, what makes a line is none', () => {
  const history = new History(file({ dt: [0, 300, 1, 300], hr: [80, 90, 91, 85], spo2: [null, 97, null, null], rr: [14, null, null, 15] }));
  const times = (name) => history.lone(name).map((at) => history.times[at]);
  assert.deepEqual(CONTINUOUS_NAMES.map(times), [[1000, 1601], [1300], [1000, 1601]]);
});

test('scaled integers come back as values', () => {
  const history = new History(file({ scale: 10, hr: [805], bp: { t: [990], sbp: [1280], dbp: [780], by: ['auto'] } }));
  assert.deepEqual(history.values.hr, [80.5]);
  assert.deepEqual(history.pressures, [{ t: 990, sbp: 128, dbp: 78, by: 'auto' }]);
});

const sample = (more) => ({ c: '3', v: { hr: 84, sbp: 158, dbp: 94 }, age: { hr: 0.4, sbp: 120, dbp: 120 }, phase: 'infusing', recorded: true, ...more });

test('a live frame adds no doubtful or old value, and a cuff reading once', () => {
  const history = new History();
  history.take(sample(), 1_000_000);
  history.take(sample({ age: { hr: 16, sbp: 121, dbp: 121 } }), 1_001_000);
  history.take(sample({ q: { hr: 'suspect' } }), 1_002_000);
  assert.deepEqual(history.values.hr, [84, null, null]);
  assert.equal(history.pressures.length, 1);
});

test('a frame from the past does not bend the line back', () => {
  const history = new History();
  history.take(sample(), 2_000_000);
  history.take(sample({ v: { hr: 60 } }), 1_000_000);
  assert.deepEqual(history.values.hr, [84]);
});

test('a value says how old it is, and after its time there is none', () => {
  const state = (waited) => judge(sample(), 'hr', waited, CONTINUOUS);
  assert.deepEqual(state(4), { text: '84', note: '', state: 'fresh' });
  assert.deepEqual(state(5.6), { text: '84', note: '6 s old', state: 'old' });
  assert.deepEqual(state(10.6), { text: '---', note: 'no data for 11 s', state: 'gone' });
});

test('no value, a doubtful value and a missing one are never a number', () => {
  for (const [more, note] of [[{ q: { hr: 'no_value' } }, 'no value'], [{ q: { hr: 'suspect' }, raw: { hr: '900' } }, '900 invalid'], [{ q: { hr: 'suspect' } }, 'invalid'], [{ v: {} }, 'not measured'], [{ age: {} }, 'not measured']]) {
    assert.deepEqual(judge(sample(more), 'hr', 0, CONTINUOUS), { text: '---', note, state: 'gone' });
  }
});

test('a cuff pressure keeps its age beside it and turns old by its own interval', () => {
  assert.deepEqual(judge(sample(), 'bp', 0, CUFF), { text: '158/94', note: '2 min ago', state: 'fresh' });
  assert.equal(judge(sample(), 'bp', 1100, CUFF).state, 'old');
  assert.equal(judge(sample({ q: { sbp: 'charted', dbp: 'charted' } }), 'bp', 0, CUFF).note, '2\u00a0min, hand');
});

test('the pad knows from the first digit how long a value is', () => {
  const lengths = [['sbp', '1', 3], ['sbp', '9', 2], ['dbp', '9', 2], ['dbp', '1', 3], ['hr', '8', 2], ['spo2', '9', 2], ['spo2', '1', 3], ['rr', '1', 2], ['rr', '8', 1]];
  for (const [name, first, length] of lengths) assert.equal(digits(name, first), length, `${name} ${first}`);
});

test('times read as people say them', () => {
  assert.deepEqual([countdown(192), countdown(-40), countdown(3870)], ['3:12', 'late 0:40', '1:04:30']);
  assert.deepEqual([duration(12.7), duration(125), duration(3900), duration(7200)], ['12 s', '2 min', '1 h 5 min', '2 h']);
});

test('a chair page is at most 60 kB of script and 10 kB of style, compressed', () => {
  const dist = new URL('../dist/', import.meta.url);
  const bytes = (end) => readdirSync(dist).filter((name) => name.endsWith(end)).reduce((sum, name) => sum + statSync(new URL(name, dist)).size, 0);
  assert.ok(bytes('.js.br') > 0 && bytes('.js.br') <= 60_000, `${bytes('.js.br')} bytes of script`);
  assert.ok(bytes('.css.br') > 0 && bytes('.css.br') <= 10_000, `${bytes('.css.br')} bytes of style`);
});

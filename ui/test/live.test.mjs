// The built page in a real browser, against a live channel that freezes, lies and falls silent.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Clinic, alarm, browser, pageOf } from './clinic.mjs';

const TILE = '<div data-chair="3"><div class="tiles"><div class="tile" data-tile="hr" data-old-s="5" data-gone-s="10"><b data-value>84</b><small data-note></small></div></div></div>';
let chrome, clinic, context;

before(async () => (chrome = await browser()));
after(() => chrome?.close());
beforeEach(async () => {
  clinic = await new Clinic().open();
  clinic.start();
  context = await chrome.newContext({ viewport: { width: 1280, height: 880 } });
});
afterEach(async () => {
  await context.close();
  clinic.close();
});

async function open(body = TILE, theme = 'dark') {
  clinic.pages.set('/', pageOf(body, theme));
  const page = await context.newPage();
  await page.goto(clinic.at);
  await page.waitForFunction(() => document.querySelector('#connection-state').textContent === 'Live');
  return page;
}
const dead = (page) => page.locator('.dead');
const text = (page, selector) => page.locator(selector).first().innerText();

async function until(found, what) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await found()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`never: ${what}`);
}

test('a silent server brings NOT MONITORED over the screen, and frames take it away', async () => {
  const page = await open();
  assert.equal(await dead(page).isVisible(), false);
  clinic.stop();
  await dead(page).waitFor({ timeout: 8_000 });
  assert.match(await dead(page).innerText(), /NOT MONITORED[\s\S]*No data since \d\d:\d\d:\d\d/);
  assert.match(await text(page, '#connection-state'), /NOT LIVE/);
  clinic.start();
  await dead(page).waitFor({ state: 'hidden', timeout: 8_000 });
});

/** What the top bar says from the first moment on, until it says that nothing is live. */
async function saysUntilNotLive(page) {
  const said = new Set();
  await until(async () => {
    said.add((await text(page, '#connection-state')).replace(/^NOT LIVE.*/, 'NOT LIVE'));
    return [...said].some((one) => /NOT LIVE/.test(one));
  }, 'not live');
  return [...said];
}

test('before the first frame nothing is called live, and after three seconds it is called not live', async () => {
  clinic.stop();
  clinic.pages.set('/', pageOf(TILE));
  const page = await context.newPage();
  await page.goto(clinic.at, { waitUntil: 'commit' });
  assert.deepEqual(await saysUntilNotLive(page), ['Connecting…', 'NOT LIVE']);
});

test('a page whose script never comes says so by itself', async () => {
  await context.route('**/*.js', (route) => route.abort());
  clinic.pages.set('/', pageOf(TILE));
  const page = await context.newPage();
  await page.goto(clinic.at);
  assert.deepEqual(await saysUntilNotLive(page), ['Connecting…', 'NOT LIVE']);
});

test('a server that repeats one sequence number counts as silent', async () => {
  const page = await open();
  clinic.stop();
  clinic.timer = setInterval(() => clinic.say('k', { now: Date.now(), seq: clinic.seq, recording: true, why: '' }), 200);
  await dead(page).waitFor({ timeout: 8_000 });
});

test('a frame that the page cannot show counts as not seen', async () => {
  const page = await open();
  clinic.stop();
  clinic.timer = setInterval(() => clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: null }), 200);
  await dead(page).waitFor({ timeout: 8_000 });
});

test('a frozen feed greys its value and then takes it away while other frames come', async () => {
  const page = await open();
  clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: [{ c: '3', v: { hr: 71 }, age: { hr: 4 }, phase: 'infusing', recorded: true }] });
  await until(async () => (await text(page, '[data-value]')) === '71', 'the value');
  await until(async () => (await page.locator('.tile').getAttribute('data-state')) === 'old', 'old');
  assert.match(await text(page, '[data-note]'), /s old/);
  clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: [{ c: '3', v: { hr: 71 }, age: { hr: 11 }, phase: 'infusing', recorded: true }] });
  await until(async () => (await text(page, '[data-value]')) === '---', 'no value');
  assert.equal(await dead(page).isVisible(), false);
});

const SCALE = '<div data-chair="3"><p class="tile" data-tile="distress" data-old-s="900" data-gone-s="0"><span>Distress</span> <b data-value>2</b> <small data-note>4 min ago</small></p></div>';

test('a score tapped anywhere stands on every page with an age that runs', async () => {
  const pages = [await open(SCALE), await open(SCALE)];
  const chair = { c: '3', v: { distress: 6 }, age: { distress: 1 }, q: { distress: 'charted' }, phase: 'infusing', recorded: true };
  clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: [chair] });
  for (const page of pages) {
    await until(async () => (await text(page, '[data-value]')) === '6', 'the new score');
    await until(async () => /^[3-9]\ss, hand$/.test(await text(page, '[data-note]')), 'an age that runs');
  }
});

test('the page tells what it painted, and its token', async () => {
  await open();
  await until(() => clinic.postsTo('/live/painted').some((post) => JSON.parse(post.body).seq > 0), 'a report');
  const { body, headers } = clinic.postsTo('/live/painted').at(-1);
  assert.equal(JSON.parse(body).visible, true);
  assert.equal(headers['x-csrf-token'], 'the-token');
});

test('eight pages share one stream', async () => {
  for (let nth = 0; nth < 8; nth += 1) await open();
  assert.equal(clinic.streams.size, 1);
});

test('a browser without shared workers streams in the page', async () => {
  await context.addInitScript(() => delete globalThis.SharedWorker);
  await open();
  assert.equal(clinic.streams.size, 1);
});

test('not recording stands in the top bar with its reason', async () => {
  const page = await open();
  clinic.stop();
  clinic.beat({ recording: false, why: 'disk full' });
  await until(async () => (await text(page, '#connection-state')) === 'Live, NOT RECORDED: disk full', 'the words');
});

test('alarms stand by priority with sign and words, acknowledged ones last', async () => {
  const page = await open();
  const low = alarm({ id: 'l', prio: 'low', text: 'Probe off' });
  const medium = alarm({ id: 'm', prio: 'medium', text: 'NIBP systolic 158, limit 150 mmHg', since: 9 });
  const seen = alarm({ id: 'h', acked_by: 'nurse.kim' });
  clinic.raise([low, seen, medium]);
  await until(async () => (await page.locator('.alarm').count()) === 3, 'three rows');
  assert.match(await text(page, '[data-alarm-top]'), /▲ !![^!][\s\S]*Medium · Chair 3 · NIBP systolic 158, limit 150 mmHg/);
  assert.equal(await text(page, '[data-alarm-count]'), '1 of 3');
  assert.equal(await page.locator('[data-alarm-rest] .alarm').last().getAttribute('data-alarm'), 'h');
});

test('a row that stands is the same element, and its button acknowledges that alarm', async () => {
  const page = await open();
  clinic.raise([alarm()]);
  const row = await page.locator('.alarm').elementHandle();
  clinic.raise([alarm({ text: 'SpO₂ 85 %, limit 90 %' })]);
  await until(async () => /85 %/.test(await row.innerText()), 'the new words in the old row');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await until(() => clinic.postsTo('/alarms/acknowledge').length === 1, 'the act');
  const sent = new URLSearchParams(clinic.postsTo('/alarms/acknowledge')[0].body);
  assert.equal(sent.get('alarm'), 'a1');
  assert.equal(sent.get('csrf'), 'the-token');
  assert.match(sent.get('command_id'), /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
});

test('the number in alarm is marked, and unmarked when the alarm is gone', async () => {
  const page = await open();
  clinic.raise([alarm({ tile: 'hr', prio: 'medium' })]);
  await until(async () => (await page.locator('.tile').getAttribute('data-alarm')) === 'medium', 'marked');
  clinic.raise([]);
  await until(async () => (await page.locator('.tile').getAttribute('data-alarm')) === '', 'unmarked');
});

test('words of an alarm are words, not markup', async () => {
  const page = await open();
  clinic.raise([alarm({ text: '<img src=x onerror=alert(1)>' })]);
  await until(async () => /<img/.test(await text(page, '[data-text]')), 'the plain text');
  assert.equal(await page.locator('.alarm img').count(), 0);
});

const card = (chair) => `<article class="card-chair" data-chair="${chair}" data-phase="infusing"><h2><a href="/chair/${chair}">${chair}</a></h2>
  <p class="card-alarm" data-card-alarm></p><dl class="card-tiles"><div class="tile" data-tile="hr" data-old-s="5" data-gone-s="10"><dt>HR</dt>
  <dd><b data-value>60</b> <small data-note></small></dd></div></dl></article>`;
const ROOM = `<div class="board" data-live="room"><div class="cards">${Array.from({ length: 500 }, (_, nth) => card(nth + 1)).join('')}</div></div>`;

/** What stands on screen and is covered by nothing; empty where it is off screen. */
const seen = (page, selector) => page.evaluate((selector) => {
  const place = document.querySelector(selector);
  const { left, top, width, height } = place?.getBoundingClientRect() ?? {};
  const there = place && document.elementFromPoint(left + width / 2, top + height / 2);
  return there && (place.contains(there) || there.contains(place)) ? place.innerText : '';
}, selector);

test('an alarm of a chair far off screen stands at the top of the board, wherever that is scrolled', async () => {
  const page = await open(ROOM);
  assert.equal(await seen(page, '[data-chair="480"]'), '');
  clinic.raise([alarm({ chair: '480' })]);
  const told = async () => /High · Chair 480 · SpO₂ 87 %, limit 90 %/.test(await seen(page, '.alarm-words'));
  await until(told, 'the alarm at the top');
  assert.equal(await page.locator('.alarm-words a').getAttribute('href'), '/chair/480');
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await until(told, 'the alarm above the last chairs');
  assert.match(await page.locator('[data-chair="480"] [data-card-alarm]').textContent(), /SpO₂ 87 %/);
});

test('a card that comes on screen shows the value of now, and one that fell silent shows none', async () => {
  const page = await open(ROOM);
  const sample = (c, hr, age) => ({ c, v: { hr }, age: { hr: age }, phase: 'infusing', recorded: true });
  clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: [sample('480', 71, 0), sample('490', 72, 9)] });
  await until(() => page.evaluate(() => document.querySelector('[data-chair="490"] .tile').dataset.state === 'gone'), 'time passes');
  // What the first picture shows after the jump, before anything else can run.
  const first = (chair) => page.evaluate((chair) => {
    document.querySelector(`[data-chair="${chair}"]`).scrollIntoView();
    return new Promise((done) => requestAnimationFrame(() => done(document.querySelector(`[data-chair="${chair}"] .tile`).innerText)));
  }, chair);
  assert.match(await first('480'), /71/);
  assert.match(await first('490'), /---[\s\S]*no data for 1\d s/);
});

test('on a card no number covers the next one, in alarm or not', async () => {
  const tile = (key, value) => `<div class="tile" data-tile="${key}" data-alarm="medium"><dt>${key}</dt><dd><b data-value>${value}</b> <small data-note>no data for 12 s</small></dd></div>`;
  const tiles = `<dl class="card-tiles">${tile('bp', '176/105')}${tile('hr', '183')}${tile('spo2', '100')}${tile('rr', '24')}</dl>`;
  const page = await open(`<div class="cards">${`<article class="card-chair" data-alarm="medium">${tiles}</article>`.repeat(6)}</div>`);
  for (const width of [390, 1024, 1280, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    const places = await page.locator('.card-chair').first().locator('[data-value]').evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => [left, right]));
    places.reduce(([, end], [begin, next]) => (assert.ok(end < begin, `${width}: ${places}`), [begin, next]));
  }
});

test('the words say what the infusion does, as soon as it does it', async () => {
  const page = await open('<div data-chair="3" data-phase="infusing"><p><span class="phase">Infusing</span></p></div>');
  clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: [{ c: '3', v: {}, age: {}, phase: 'paused', phase_title: 'Paused', recorded: true }] });
  await until(async () => (await text(page, '.phase')) === 'Paused', 'the words');
});

test('an alarm that is over says so, stands behind one that holds, and does not flash', async () => {
  const page = await open();
  clinic.raise([alarm({ id: 'gone', latched: true, text: 'No screen shows this chair' }), alarm({ id: 'here', since: 1_763_999_000_000, text: 'HR 121, limit 120' })]);
  await until(async () => /HR 121/.test(await text(page, '[data-alarm-top]')), 'the alarm that holds');
  await page.locator('.alarm-list summary').click();
  assert.match(await text(page, '[data-alarm-rest]'), /No screen shows this chair[\s\S]*OVER, came at \d\d:\d\d/);
  assert.doesNotMatch(await text(page, '[data-alarm-top]'), /OVER/);
  const flashing = (id) => page.locator(`[data-alarm="${id}"].alarm`).evaluate((row) => getComputedStyle(row).animationName);
  assert.equal(await flashing('gone'), 'none');
  clinic.raise([alarm({ id: 'gone', text: 'No screen shows this chair' })]);
  await until(async () => (await flashing('gone')) === 'flash', 'it came back');
});

test('a part that was fetched anew goes on with the values of now', async () => {
  const part = (more) => `<div ${more} hx-get="/part" hx-trigger="chair-changed" hx-swap="outerHTML"><div class="tile" data-tile="hr" data-old-s="5" data-gone-s="10"><b data-value>84</b><small data-note></small></div></div>`;
  const page = await open(`<div data-chair="3" data-phase="ready">${part('')}</div>`);
  clinic.pages.set('/part', part('id="anew"'));
  const say = (hr) => clinic.say('s', { t: Date.now(), seq: ++clinic.seq, chairs: [{ c: '3', v: { hr }, age: { hr: 0 }, phase: 'infusing', recorded: true }] });
  say(71);
  await page.locator('#anew').waitFor();
  say(75);
  await until(async () => (await text(page, '#anew [data-value]')) === '75', 'the value in the new part');
});

/** Counts oscillators, one a pulse, and lets the audio run as after a tested tap. */
async function withSound() {
  await context.addInitScript(() => {
    sessionStorage.setItem('sound-tested', 'heard');
    globalThis.pulses = [];
    const create = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () {
      globalThis.pulses.push(performance.now());
      return create.call(this);
    };
  });
  const page = await open();
  await page.mouse.click(5, 400);
  await until(async () => (await text(page, '#sound-state')) === 'Sound on', 'sound on');
  return page;
}
const pulses = (page) => page.evaluate(() => globalThis.pulses.length);

test('the sound is called off until it is tested, and on only while it plays', async () => {
  const page = await open();
  assert.match(await text(page, '#sound-state'), /Sound OFF/);
  await page.mouse.click(5, 400);
  assert.match(await text(page, '#sound-state'), /Sound OFF/);
});

test('what a person says of the test goes to the server with the name of this display', async () => {
  const page = await open();
  await page.getByRole('button', { name: /Sound OFF/ }).click();
  await page.getByRole('button', { name: 'Heard all three' }).click({ timeout: 20_000 });
  await until(async () => (await text(page, '#sound-state')) === 'Sound on', 'sound on');
  await until(() => clinic.postsTo('/live/sound-test').length === 1, 'the post');
  const said = new URLSearchParams(clinic.postsTo('/live/sound-test')[0].body);
  assert.deepEqual([said.get('heard'), said.get('csrf')], ['yes', 'the-token']);
  const painted = JSON.parse(clinic.postsTo('/live/painted')[0].body);
  assert.equal(said.get('display'), painted.display);
});

test('a high alarm sounds its ten pulses; one that is paused or acknowledged does not', async () => {
  const page = await withSound();
  clinic.raise([alarm({ acked_by: 'nurse.kim' }), alarm({ id: 'p', paused_until: Date.now() + 60_000 })]);
  await until(async () => /Sound paused \d:\d\d/.test(await text(page, '[data-alarm=p] [data-paused]')), 'the countdown');
  assert.equal(await pulses(page), 0);
  clinic.raise([alarm({ id: 'n' })]);
  await until(async () => (await pulses(page)) === 10, 'ten pulses');
});

test('a new alarm of higher priority sounds at once, into the burst of a lower one that is paused', async () => {
  const page = await withSound();
  clinic.raise([alarm({ id: 'm', prio: 'medium' })]);
  await until(async () => (await pulses(page)) === 3, 'three pulses');
  // The clock stands still within the lower burst: only rank can end it.
  await page.evaluate(() => {
    const at = performance.now();
    performance.now = () => at;
  });
  clinic.raise([alarm({ id: 'm', prio: 'medium', paused_until: Date.now() + 60_000 }), alarm({ id: 'h' })]);
  await until(async () => (await pulses(page)) === 13, 'ten more');
});

const HALT = '<form method="post" action="/chair/3/stop" hx-post="/chair/3/stop" hx-swap="none"><button class="stop" data-hold>Stop infusion <small data-hint>hold 1 s</small></button></form>';
const stops = () => clinic.postsTo('/chair/3/stop').length;

test('stop acts when it is held for a second, not when it is touched', async () => {
  const page = await open(HALT);
  await page.locator('.stop').click();
  assert.match(await text(page, '[data-hint]'), /Hold for 1 second/);
  assert.equal(stops(), 0);
  await page.locator('.stop').hover();
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.mouse.down();
  await page.clock.runFor(900);
  await page.mouse.up();
  await page.clock.runFor(5_000);
  assert.equal(stops(), 0);
  await page.mouse.down();
  await page.clock.runFor(1_001);
  await until(() => stops() === 1, 'the stop');
});

test('stop keeps its place when there is nothing to pause', async () => {
  const left = async (body) => (await (await open(`<footer class="actions"><div class="actions-halt">${body}</div></footer>`)).locator('.stop').boundingBox()).x;
  assert.equal(await left(HALT), await left(HALT.replace('class="stop"', '').replace('Stop', 'Pause') + HALT));
});

test('letting go of a button that has acted sends nothing more', async () => {
  const page = await open(HALT);
  await page.locator('.stop').hover();
  await page.mouse.down();
  await until(() => stops() === 1, 'the stop');
  await page.mouse.up();
  await page.mouse.down();
  await page.mouse.up();
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(stops(), 1);
});

test('stop is held with a key too, and clicked twice by who can only click', async () => {
  const page = await open(HALT);
  await page.locator('.stop').focus();
  await page.keyboard.down('Space');
  await until(() => stops() === 1, 'the stop by key');
  await page.keyboard.up('Space');
  await until(async () => /hold 1 s/.test(await text(page, '[data-hint]')), 'ready again');
  await page.evaluate(() => document.querySelector('.stop').click());
  assert.equal(stops(), 1);
  await page.evaluate(() => document.querySelector('.stop').click());
  await until(() => stops() === 2, 'the stop by two clicks');
});

test('an open sheet leaves stop and the alarms in reach, and NOT MONITORED covers it', async () => {
  const page = await open(`${HALT}<button data-opens="box">Open</button><dialog id="box" class="sheet"><p>Form</p><button data-close>Close</button></dialog>`);
  clinic.raise([alarm()]);
  await page.getByText('Open', { exact: true }).click();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await until(() => clinic.postsTo('/alarms/acknowledge').length === 1, 'the act');
  await page.locator('.stop').focus();
  await page.keyboard.down('Enter');
  await until(() => stops() === 1, 'the stop');
  assert.ok(await page.locator('#box').isVisible());
  clinic.stop();
  await dead(page).waitFor({ timeout: 8_000 });
  const covered = await page.evaluate(() => {
    const { left, top } = document.querySelector('#box').getBoundingClientRect();
    return document.elementFromPoint(left + 5, top + 5).closest('.dead') !== null;
  });
  assert.ok(covered);
});

test('a page whose scripts hang is covered all the same, by the compositor', async () => {
  const page = await open('', 'light');
  const tools = await context.newCDPSession(page);
  let picture;
  tools.on('Page.screencastFrame', ({ data, sessionId }) => {
    picture = data;
    tools.send('Page.screencastFrameAck', { sessionId }).catch(() => undefined);
  });
  await tools.send('Page.startScreencast', { format: 'png' });
  const hang = (ms) => page.evaluate((ms) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  }, ms);
  await until(() => picture !== undefined, 'a picture');
  assert.ok((await brightness(picture)) > 150);
  await hang(4_500);
  assert.ok((await brightness(picture)) < 110);
});

/** Mean of the lower half of a picture, 0–255. */
async function brightness(png) {
  const page = await context.newPage();
  const mean = await page.evaluate(async (png) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${png}`;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height / 2);
    const paper = canvas.getContext('2d');
    paper.drawImage(picture, 0, -picture.height / 2);
    const { data } = paper.getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, nth) => sum + (nth % 4 === 3 ? 0 : value), 0) / (data.length * 0.75);
  }, png);
  await page.close();
  return mean;
}

const field = (name) => `<label>${name} <input name="${name}" inputmode="numeric" data-digits></label>`;
const keys = [...'1234567890', 'back', 'next'].map((key) => `<button type="button" data-key="${key}">${key}</button>`).join('');
const PAD = `<form data-pad method="post" action="/chair/3/vitals" hx-post="/chair/3/vitals" hx-target="this" hx-swap="outerHTML">${['sbp', 'dbp', 'hr', 'spo2', 'rr'].map(field).join('')}${keys}<button type="submit">Save vitals</button></form>`;

test('a blood pressure by hand takes six taps', async () => {
  const page = await open(PAD);
  for (const key of '12878') await page.locator(`[data-key="${key}"]`).click();
  await page.getByText('Save vitals').click();
  await until(() => clinic.postsTo('/chair/3/vitals').length === 1, 'the values');
  const sent = new URLSearchParams(clinic.postsTo('/chair/3/vitals')[0].body);
  assert.deepEqual([sent.get('sbp'), sent.get('dbp'), sent.get('hr')], ['128', '78', '']);
  await until(async () => (await page.locator('[name=sbp]').inputValue()) === '', 'an empty form');
});

test('the key for the next value after a full number skips none, and behind the last value it stays', async () => {
  const page = await open(PAD);
  for (const key of ['1', '1', '8', 'next', '7', '6', 'next', '7', '2', 'next', '9', '8', 'next', '1', '4', 'next', 'next']) await page.locator(`[data-key="${key}"]`).click();
  const typed = await page.$$eval('[data-pad] input', (all) => all.map((one) => one.value));
  assert.deepEqual(typed, ['118', '76', '72', '98', '14']);
  for (const key of ['back', 'back', 'back', 'back', 'next']) await page.locator(`[data-key="${key}"]`).click();
  assert.equal(await page.locator('.is-chosen').getAttribute('name'), 'rr');
});

test('a refusal comes back into the form with its reasons', async () => {
  clinic.answers.set('/chair/3/vitals', [422, '<form data-pad><p class="field-error">94 is not above 158</p></form>']);
  const page = await open(PAD);
  await page.getByText('Save vitals').click();
  await until(async () => (await page.locator('.field-error').count()) === 1, 'the reason');
});

test('no key acts on a drug, and single keys can be turned off', async () => {
  const page = await open(HALT);
  for (const key of 'sSpPxv') await page.keyboard.press(key);
  assert.equal(stops(), 0);
  await page.keyboard.press('?');
  await page.getByText('Use single keys on this device').click();
  await page.keyboard.press('Escape');
  await page.keyboard.press('b');
  assert.equal(new URL(page.url()).pathname, '/');
});

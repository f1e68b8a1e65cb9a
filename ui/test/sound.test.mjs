// The alarm sound as a listener gets it: rendered offline by the browser, then measured.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Clinic, browser, scriptOf } from './clinic.mjs';

const RATE = 8000;
let chrome, page, clinic;

before(async () => {
  clinic = await new Clinic().open();
  clinic.pages.set('/', '<!doctype html><title>Sound</title>');
  chrome = await browser();
  page = await chrome.newPage({ bypassCSP: true });
  await page.goto(clinic.at);
  await page.addScriptTag({ content: await scriptOf('sound') });
});
after(async () => {
  await chrome?.close();
  clinic?.close();
});

function render(priority) {
  return page.evaluate(async ([priority, rate]) => {
    const context = new OfflineAudioContext(1, rate * 4, rate);
    globalThis.it.playBurst(context, priority, 0);
    return [...(await context.startRendering()).getChannelData(0)];
  }, [priority, RATE]);
}

/** Begin and length of each stretch of sound, in seconds. */
function pulses(samples) {
  const found = [];
  const quiet = RATE * 0.02;
  let last = -Infinity;
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < 0.02) continue;
    if (at - last > quiet) found.push({ begin: at / RATE, end: at / RATE });
    found.at(-1).end = at / RATE;
    last = at;
  }
  return found.map(({ begin, end }) => ({ begin, length: end - begin }));
}

/** Level of one frequency in a stretch, by Goertzel's recurrence. */
function level(samples, hz) {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / RATE);
  let [one, two] = [0, 0];
  for (const sample of samples) [one, two] = [sample + turn * one - two, one];
  return Math.sqrt(one * one + two * two - turn * one * two);
}

for (const [priority, count, shortest, longest] of [['high', 10, 0.075, 0.2], ['medium', 3, 0.125, 0.25], ['low', 2, 0.125, 0.25]]) {
  test(`a ${priority} alarm is ${count} pulses of a length that the standard allows`, async () => {
    const found = pulses(await render(priority));
    assert.equal(found.length, count);
    for (const { length } of found) assert.ok(length >= shortest && length <= longest, `${length} s`);
  });

  test(`a ${priority} alarm has four harmonics within 15 dB of its fundamental`, async () => {
    const samples = await render(priority);
    const { begin, length } = pulses(samples)[0];
    const middle = samples.slice(Math.round((begin + length * 0.25) * RATE), Math.round((begin + length * 0.75) * RATE));
    const hz = await page.evaluate((priority) => globalThis.it.BURSTS[priority].hz, priority);
    assert.ok(hz >= 150 && hz <= 1000);
    const base = level(middle, hz);
    const near = [2, 3, 4, 5, 6].filter((nth) => nth * hz >= 300 && nth * hz <= 4000 && Math.abs(20 * Math.log10(level(middle, nth * hz) / base)) <= 15);
    assert.ok(near.length >= 4, `${near.length} harmonics`);
  });
}

test('a high alarm is three and two pulses, a pause, three and two', async () => {
  const begins = pulses(await render('high')).map(({ begin }) => begin);
  const gaps = begins.slice(1).map((begin, nth) => begin - begins[nth]);
  const long = gaps.map((gap) => (gap > 0.6 ? 'pause' : gap > 0.3 ? 'long' : 'short'));
  const half = ['short', 'short', 'long', 'short'];
  assert.deepEqual(long, [...half, 'pause', ...half]);
});

test('at night medium and low are half as loud and high is as ever', async () => {
  const loudest = async (priority) => Math.max(...(await render(priority)).map(Math.abs));
  for (const [priority, part] of [['high', 1], ['medium', 0.5], ['low', 0.5]]) {
    await page.evaluate(() => globalThis.it.night(false));
    const day = await loudest(priority);
    await page.evaluate(() => globalThis.it.night(true));
    assert.ok(Math.abs((await loudest(priority)) / day - part) < 0.01, priority);
  }
  await page.evaluate(() => globalThis.it.night(false));
});

test('a burst ends before it is repeated, and high is repeated most often', async () => {
  const { bursts, lengths } = await page.evaluate(() => {
    const { BURSTS, burstLengthS } = globalThis.it;
    return { bursts: BURSTS, lengths: Object.fromEntries(Object.keys(BURSTS).map((one) => [one, burstLengthS(one)])) };
  });
  assert.ok(bursts.high.repeatS > lengths.high && bursts.high.repeatS <= 15);
  assert.ok(bursts.medium.repeatS > bursts.high.repeatS && bursts.medium.repeatS <= 30);
  assert.equal(bursts.low.repeatS, 0);
});

test('the watchdog on the audio thread sounds by itself when nobody feeds it, and not before', async () => {
  const files = JSON.parse(readFileSync(new URL('../dist/manifest.json', import.meta.url)));
  const samples = await page.evaluate(async ([file, rate]) => {
    const context = new OfflineAudioContext(1, rate * 6, rate);
    await context.audioWorklet.addModule(file);
    new AudioWorkletNode(context, 'watchdog', { numberOfInputs: 0, outputChannelCount: [1] }).connect(context.destination);
    return [...(await context.startRendering()).getChannelData(0)];
  }, [`/assets/${files['watchdog.js']}`, RATE]);
  const loudest = (from, to) => Math.max(...samples.slice(from * RATE, to * RATE).map(Math.abs));
  assert.equal(loudest(0, 2.9), 0);
  assert.ok(loudest(3.1, 3.6) > 0.1);
});

test('without a tap and a test the sound is off, and an alarm does not claim to be heard', async () => {
  const state = await page.evaluate(() => [globalThis.it.soundState(), globalThis.it.sound('high')]);
  assert.deepEqual(state, ['off', false]);
});

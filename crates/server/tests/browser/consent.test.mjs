// A patient reads and signs on a phone, without scripts: is explained again, refuses one thing, signs once; and on a
// tablet that is locked for whoever handed it over.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, PATIENT, PIN, browser } from './clinic.mjs';
import { fill, send, signIn, text } from './hands.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, javaScriptEnabled: false };
const TABLET = { viewport: { width: 1180, height: 820 } };
let chrome, clinic, nurse, consent;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  nurse = await signIn(chrome, clinic, 'kim', TABLET);
  await nurse.goto(`${clinic.at}/patients`);
  await fill(nurse, 'register', { ...PATIENT, mrn: '004217' });
  await nurse.getByRole('link', { name: 'Consent', exact: true }).click();
  consent = nurse.url();
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

/** No fault of axe in any theme, nothing wider than the screen, every button as large as a thumb. */
async function looksWell(address, options, cookies = []) {
  for (const theme of ['light', 'dark', 'dim']) {
    const context = await chrome.newContext({ ...options, javaScriptEnabled: true });
    await context.addCookies([...cookies, { name: 'theme', value: theme, url: clinic.at }]);
    const page = await context.newPage();
    await page.goto(address);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const heights = await page.locator('main button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    assert.deepEqual(violations.map((one) => `${theme} ${one.id} ${one.nodes[0].target}`), [], address);
    assert.ok(wide <= 0 && heights.every((height) => height >= 44), `${theme} ${address}: ${wide} px too wide, ${heights}`);
    await context.close();
  }
}

/** Chooses documents alone and presses the button. */
async function ask(documents, button) {
  await nurse.goto(consent);
  const ticks = nurse.locator('form#ask input[type=checkbox]');
  for (const tick of await ticks.all()) await tick.setChecked(documents.includes(await tick.getAttribute('value')));
  await send(nurse, nurse.getByRole('button', { name: button }), button);
}

const agree = (page, answers) => fill(page, 'ask', answers, 'I have read this and agree');

test('a patient is explained again what was not understood, refuses one thing, and signs once', async () => {
  await ask(['consent_driving', 'consent_research'], 'Make a link for the phone');
  await looksWell(consent, TABLET, await nurse.context().cookies());
  const address = await nurse.locator('input[readonly]').first().inputValue();
  const phone = await (await chrome.newContext(PHONE)).newPage();
  await phone.goto(address);
  assert.match(await text(phone, 'h1'), /no driving/);
  await looksWell(phone.url(), PHONE);
  await agree(phone, { drive: '1' });
  assert.match(await text(phone, '.field-error'), /Once more: Feeling fine is not enough/);
  await looksWell(phone.url(), PHONE);
  await agree(phone, { drive: '2' });
  assert.match(await text(phone, '.progress'), /Document 2 of 2/);
  await fill(phone, 'ask', { words: 'Not now.' }, 'I do not agree');
  assert.match(await text(phone, 'main'), /You agree\.[\s\S]*You do not agree\. It is not signed/);
  await looksWell(phone.url(), PHONE);
  await assert.rejects(fill(phone, 'sign', { name: 'Somebody Else' }), /not the name in the clinic/);
  await fill(phone, 'sign', { name: 'Ana Rivera' });
  assert.match(await text(phone, 'main'), /We have your signature/);
  await phone.goto(`${address}/1`);
  assert.match(await text(phone, 'main'), /cannot be used again/, 'used twice');
  await nurse.goto(consent);
  assert.match(await text(nurse, 'main'), /no driving, version 1\s+Yes\s+✓ Version 1 signed[\s\S]*Refused[\s\S]*Not now\./);
  await nurse.getByRole('link', { name: /^What was signed/ }).click();
  assert.match(await text(nurse, 'main'), /it fits them/);
  await looksWell(nurse.url(), TABLET, await nurse.context().cookies());
});

test('a tablet in the hand of a patient is locked for the nurse until the PIN', async () => {
  await ask(['consent_privacy'], 'Hand the tablet over');
  assert.match(await text(nurse, 'h1'), /Your record/);
  assert.equal(await nurse.locator('.rail').count(), 0, 'nothing of the clinic');
  await agree(nurse, {});
  await fill(nurse, 'sign', { name: 'Ana Rivera' });
  await nurse.goto(consent);
  assert.match(nurse.url(), /\/unlock/);
  await nurse.getByLabel('PIN').fill(PIN);
  await nurse.getByLabel('PIN').press('Enter');
  await nurse.waitForURL(consent);
});

test('a signature is drawn with a real pointer, cleared, drawn again and printed', async () => {
  await ask(['consent_privacy'], 'Make a link for the phone');
  const address = await nurse.locator('input[readonly]').first().inputValue();
  const phone = await (await chrome.newContext({ ...PHONE, javaScriptEnabled: true })).newPage();
  await phone.goto(address);
  await agree(phone, {});
  const field = phone.getByRole('img', { name: 'Field for your signature' });
  const draw = async (points) => {
    await field.scrollIntoViewIfNeeded();
    const box = await field.boundingBox();
    const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
    await phone.mouse.move(...first);
    await phone.mouse.down();
    for (const point of rest) await phone.mouse.move(...point, { steps: 8 });
    await phone.mouse.up();
  };
  const strokes = () => phone.locator('form#draw input[name=stroke]').evaluateAll((all) => all.map((one) => one.value));
  await draw([[0.1, 0.8], [0.3, 0.2], [0.5, 0.8]]);
  await draw([[0.6, 0.5], [0.9, 0.5], [1.4, 0.5]]);
  const drawn = await strokes();
  assert.equal(drawn.length, 2);
  assert.ok(drawn.join(' ').split(' ').every((point) => { const [x, y] = point.split(','); return x >= 0 && x <= 600 && y >= 0 && y <= 200; }), drawn);
  await phone.getByRole('button', { name: 'Clear the drawing' }).click();
  assert.deepEqual(await strokes(), []);
  await assert.rejects(fill(phone, 'draw', { born: PATIENT.born }), /Nothing is drawn/);
  await draw([[0.2, 0.7], [0.4, 0.3], [0.8, 0.6]]);
  await assert.rejects(fill(phone, 'draw', { born: '1970-01-01' }), /not the day of birth/);
  const [kept] = await strokes();
  assert.match(kept, /^\d+,\d+ \d+,\d+/, 'what was drawn is not drawn twice');
  const { violations } = await new AxeBuilder({ page: phone }).analyze();
  assert.deepEqual(violations.map((one) => `${one.id} ${one.nodes[0].target}`), []);
  await fill(phone, 'draw', { born: PATIENT.born });
  assert.match(await text(phone, 'main'), /We have your signature/);
  await nurse.goto(consent);
  assert.match(await text(nurse, 'main'), /Your record[\s\S]*by hand, for/);
  await nurse.locator('tr', { hasText: 'by hand' }).getByRole('link', { name: /^What was signed/ }).click();
  assert.equal(await nurse.getByRole('img', { name: 'Signature as drawn' }).locator('path').getAttribute('d'), `M${kept}`);
  await looksWell(nurse.url(), TABLET, await nurse.context().cookies());
});

test('what to expect is read on a phone, by anybody', async () => {
  const phone = await (await chrome.newContext(PHONE)).newPage();
  await phone.goto(`${clinic.at}/what-to-expect`);
  await looksWell(phone.url(), PHONE);
  await phone.getByRole('link', { name: /Depression that other treatment/ }).click();
  assert.match(await text(phone, 'main'), /55 of 100 people improved by half or more[\s\S]*Evidence B[\s\S]*Anand 2023/);
  await looksWell(phone.url(), PHONE);
});

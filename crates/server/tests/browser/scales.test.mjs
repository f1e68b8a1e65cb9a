// A patient answers a scale on a phone, without scripts: stops and goes on, thinks of suicide, sends once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, browser } from './clinic.mjs';
import { fill, send, signIn, text } from './hands.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, javaScriptEnabled: false };
const TABLET = { viewport: { width: 1180, height: 820 } };
const PERSON = { family: 'Rivera', given: 'Ana', born: '1984-03-12', mrn: '004217', sex: 'f', allergies: 'none' };
let chrome, clinic, nurse, scores;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  const owner = await signIn(chrome, clinic, 'owner');
  const local = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16);
  await owner.goto(`${clinic.at}/roster`);
  await fill(owner, 'duty', { staff: 'kim', call: 'first', from: local(-1), to: local(8) });
  nurse = await signIn(chrome, clinic, 'kim', TABLET);
  await nurse.goto(`${clinic.at}/patients`);
  await fill(nurse, 'register', PERSON);
  await nurse.getByRole('link', { name: 'Scores' }).click();
  scores = nurse.url();
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

async function phone(path) {
  const page = await (await chrome.newContext(PHONE)).newPage();
  await page.goto(path);
  return page;
}

async function link(scale) {
  await nurse.goto(scores);
  await fill(nurse, 'link', { scale });
  return nurse.locator('input[readonly]').last().inputValue();
}

const tap = (page, answer) => send(page, page.getByRole('button', { name: answer, exact: true }), answer);

/** No fault of axe in any theme, nothing wider than the screen, every button as large as a thumb. */
async function looksWell(address, options, cookies = []) {
  for (const theme of ['light', 'dark', 'dim']) {
    const context = await chrome.newContext({ ...options, javaScriptEnabled: true });
    await context.addCookies([...cookies, { name: 'theme', value: theme, url: clinic.at }]);
    const page = await context.newPage();
    await page.goto(address);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const heights = await page.locator('.taps-row button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    assert.deepEqual(violations.map((one) => `${theme} ${one.id} ${one.nodes[0].target}`), [], address);
    assert.ok(wide <= 0 && heights.every((height) => height >= 44), `${theme} ${address}: ${wide} px too wide, ${heights}`);
    await context.close();
  }
}

test('a form is stopped, gone on with, meets a thought of suicide with the truth, and is sent once', async () => {
  const address = await link('phq9');
  const first = await phone(address);
  assert.match(await text(first, '.progress'), /Question 1 of 10/);
  await looksWell(first.url(), PHONE);
  await tap(first, 'Several days');
  await tap(first, 'Nearly every day');
  await first.context().close();

  const later = await phone(address);
  assert.match(await text(later, '.progress'), /Question 3 of 10/);
  for (let n = 3; n <= 8; n += 1) await tap(later, 'Not at all');
  assert.match(await text(later, 'h1'), /better off dead/);
  await tap(later, 'Several days');
  assert.match(await text(later, 'main'), /Please call now[\s\S]*on the screen of Kim Tran \(nurse\)/);
  assert.equal(await later.getByRole('link', { name: 'Call 988' }).getAttribute('href'), 'tel:988');
  await looksWell(later.url(), PHONE);
  await nurse.goto(`${clinic.at}/tasks`);
  assert.match(await text(nurse, '.task'), /PHQ-9, item 9[\s\S]*Several days/, 'the task is there before the form is sent');
  await send(nurse, nurse.getByRole('button', { name: 'I take this task' }), 'take');

  await tap(later, 'I would rather not answer');
  await looksWell(later.url(), PHONE);
  await tap(later, 'Send my answers');
  assert.match(await text(later, 'main'), /We have your answers[\s\S]*Kim Tran took your answer/);
  await looksWell(later.url(), PHONE);
  await later.goto(`${address}/1`);
  assert.match(await text(later, 'main'), /cannot be used again/, 'used twice');

  await nurse.getByRole('link', { name: 'Who it is about' }).click();
  assert.match(await text(nurse, '#main'), /5, mild/);
  await looksWell(nurse.url(), TABLET, await nurse.context().cookies());
});

test('a nurse enters the screener on a tablet and corrects it', async () => {
  await nurse.goto(`${scores}/enter?scale=cssrs`);
  await looksWell(nurse.url(), TABLET, await nurse.context().cookies());
  await fill(nurse, 'enter', { 'item-1': '1', 'item-2': '0', 'item-6': '0' });
  assert.match(await text(nurse, '#main'), /C-SSRS screener: LOW/);
  await nurse.getByRole('link', { name: /Correct C-SSRS/ }).click();
  await assert.rejects(fill(nurse, 'enter', { 'item-1': '0' }), /reason of the correction is empty/);
  await fill(nurse, 'enter', { reason: 'Tapped the wrong answer.' });
  assert.match(await text(nurse, '#main'), /NONE[\s\S]*does not count: Tapped the wrong answer/);
});

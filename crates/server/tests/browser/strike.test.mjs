// A value that was charted by mistake is struck at the chair by the keyboard alone, and nothing goes on following from it;
// a sheet over the chair hides no number, and every page of the visit can pause and stop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, arrive, browser, infuse, until } from './clinic.mjs';
import { hold, signIn, value } from './hands.mjs';

let chrome, clinic, page, visit;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  const kim = await clinic.person('kim');
  visit = await arrive(kim, '2', '104511');
  await infuse(kim, visit);
  page = await signIn(chrome, clinic, 'kim', { viewport: { width: 1024, height: 768 }, reducedMotion: 'reduce' });
  await page.goto(`${clinic.at}/chair/2`);
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

const charted = async (digits) => {
  await page.locator('#pad-sbp').focus();
  await page.keyboard.type(digits);
  await Promise.all([page.waitForResponse((one) => one.url().endsWith('/chair/2/vitals')), page.keyboard.press('Enter')]);
};
const events = () => page.locator('[data-events]').innerText();
const accessible = async (what) => {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id} ${nodes[0].html}`), []);
};

/** Hazard 100. */
test('a slip is struck and charted anew by the keyboard alone', async () => {
  await charted('12278');
  await until(async () => (await value(page, 'bp')) === '122/78', 'the right value');
  // Times of entries are of whole seconds: what is charted anew for the slip must not be older than this one.
  await page.waitForTimeout(1_100);
  await charted('214121');
  await until(async () => (await value(page, 'bp')) === '214/121', 'the slip');
  await until(() => page.locator('#alarm-strip .alarm').count(), 'its alarm');
  await page.getByRole('link', { name: /^Strike BP 214\/121/ }).focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sheet[open] #strike-reason');
  await accessible('strike');
  await page.keyboard.type('ok');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sheet .field-error');
  assert.match(await page.locator('#sheet .field-error').innerText(), /at least 3 letters/);
  await page.locator('#strike-reason').fill('typed for the next chair');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sheet #vitals-sbp');
  assert.match(await page.locator('#sheet .lead').first().innerText(), /counts as seen at \d\d:\d\d:\d\d/);
  await until(async () => (await value(page, 'bp')) === '122/78', 'the value before it');
  const alarm = (words) => page.locator('#alarm-strip .alarm', { hasText: words }).count();
  await until(async () => (await alarm(/systolic 214/)) === 0, 'no alarm of the slip');
  await until(async () => (await alarm(/Measure again/)) === 1, 'who struck it measures again');
  await until(async () => (await page.locator('[data-events] del', { hasText: 'BP 214/121' }).count()) === 1, 'struck through');
  assert.match(await events(), /struck \d\d:\d\d by Kim Tran: typed for the next chair/);
  await page.locator('#vitals-sbp').fill('124');
  await page.locator('#vitals-dbp').fill('81');
  await page.keyboard.press('Enter');
  await until(async () => (await value(page, 'bp')) === '124/81', 'charted anew');
  await until(async () => (await alarm(/Measure again/)) === 0, 'measured again');
});

/** Hazard 171: a browser sends a time of which a half is typed as none, and none means now. */
test('a time that is typed by half is asked for whole, and nothing is charted', async () => {
  await page.goto(`${clinic.at}${visit}/observe`);
  const form = page.locator('form#vitals');
  for (const [name, value] of Object.entries({ sbp: '131', dbp: '82', hr: '75', spo2: '96' })) await form.locator(`[name=${name}]`).fill(value);
  await form.locator('[name=observed_at]').focus();
  await page.keyboard.type('11232026');
  assert.equal(await form.locator('[name=observed_at]').inputValue(), '', 'as a browser sends it');
  let sent = 0;
  page.on('request', (request) => (sent += request.method() === 'POST' && request.url().includes('/visit/') ? 1 : 0));
  await form.locator('button[type=submit]').last().click();
  await page.waitForTimeout(1_000);
  assert.equal(sent, 0);
  assert.equal(await form.locator('[name=sbp]').inputValue(), '131', 'what was typed stays');
  await page.goto(`${clinic.at}/chair/2`);
  assert.doesNotMatch(await events(), /131\/82/);
});

/** Hazard 127: a slip is asked about by name; an arrest is one more tap away, and alarms. */
test('what hardly can be is asked about, and the same once more is charted', async () => {
  await page.setViewportSize({ width: 1024, height: 768 });
  const press = async () => {
    const [answer] = await Promise.all([page.waitForResponse((one) => one.url().endsWith('/chair/2/vitals')), page.getByRole('button', { name: 'Save vitals' }).click()]);
    return answer.status();
  };
  await page.locator('#pad-sbp').fill('12');
  await page.locator('#pad-dbp').fill('7');
  assert.equal(await press(), 422);
  await page.waitForSelector('[data-pad] .field-error');
  assert.match(await page.locator('#pad-sbp-error').innerText(), /systolic is 12; .* Ten times that, 120, would fit/);
  assert.equal(await page.locator('#pad-dbp').inputValue(), '7');
  await accessible('asked');
  await page.locator('#pad-sbp').fill('38');
  await page.locator('#pad-dbp').fill('20');
  assert.equal(await press(), 422, 'another number is another question');
  await until(async () => /is 38/.test(await page.locator('#pad-sbp-error').innerText()), 'the new question');
  assert.equal(await press(), 204);
  await until(async () => (await value(page, 'bp')) === '38/20', 'charted');
  await until(() => page.locator('#alarm-strip .alarm', { hasText: '38' }).count(), 'its alarm');
});

/** Hazards 93 and 102: also below an alarm nothing of the pad has to be scrolled to. */
test('below an alarm the pad stands in view to its last button', async () => {
  await charted('214121');
  await until(() => page.locator('#alarm-strip .alarm').count(), 'an alarm');
  for (const height of [768, 800]) {
    await page.setViewportSize({ width: 1024, height });
    await page.goto(`${clinic.at}/chair/2`);
    await until(() => page.locator('#alarm-strip .alarm').count(), 'the alarm again');
    const hidden = await page.locator('[data-pad] :is(button, input:not([type=hidden]))').evaluateAll((all) => all.filter((one) => {
      const box = one.getBoundingClientRect();
      const at = (x, y) => one.contains(document.elementFromPoint(x, y));
      return !at(box.left + box.width / 2, box.top + 3) || !at(box.left + box.width / 2, box.bottom - 3);
    }).map((one) => one.innerText || one.id));
    assert.deepEqual(hidden, [], `1024x${height}`);
  }
});

/** Hazard 102. */
test('the card of an event covers no number of the chair', async () => {
  for (const [width, height] of [[390, 844], [820, 1180], [1024, 768], [1600, 1000]]) {
    await page.setViewportSize({ width, height });
    await page.goto(`${clinic.at}/chair/2`);
    await page.locator('.quick a').first().click();
    await page.waitForSelector('#sheet[open] form');
    const box = (locator) => locator.evaluate((one) => one.getBoundingClientRect().toJSON());
    const sheet = await box(page.locator('#sheet'));
    assert.ok(sheet.height >= 200, `room for the card at ${width}`);
    for (const key of ['bp', 'hr', 'spo2', 'rr']) {
      const tile = await box(page.locator(`.tiles [data-tile=${key}]`));
      assert.ok(tile.y >= 0 && tile.y + tile.height <= height, `${key} in view at ${width}: ${JSON.stringify(tile)}`);
      const apart = tile.x + tile.width <= sheet.x || tile.y + tile.height <= sheet.y;
      assert.ok(apart, `${key} ${JSON.stringify(tile)} under the card ${JSON.stringify(sheet)} at ${width}`);
    }
    for (const name of [/Pause infusion/, /Stop infusion/]) await page.getByRole('button', { name }).click({ trial: true });
  }
});

/** Hazard 102. */
test('the page of an event pauses the infusion, also on a phone', async () => {
  for (const [width, height] of [[1024, 768], [390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.goto(`${clinic.at}${visit}/event/hypertension`);
    for (const name of [/Pause infusion/, /Stop infusion/]) {
      const box = await page.getByRole('button', { name }).boundingBox();
      assert.ok(box.y >= 0 && box.y + box.height <= height, `${name} at ${JSON.stringify(box)}`);
    }
    await accessible(`event at ${width}`);
  }
  await hold(page, /Pause infusion/);
  await page.waitForURL(/\/chair\/2$/);
  assert.match(await page.locator('.seat').innerText(), /Paused/);
});

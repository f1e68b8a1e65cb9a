// Vital signs by hand at a chair without a monitor: set after set, each digit where the nurse means it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clinic, arrive, browser, until } from './clinic.mjs';
import { signIn } from './hands.mjs';

let chrome, clinic, page;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  await arrive(await clinic.person('kim'), '2', '104511');
  page = await signIn(chrome, clinic, 'kim', { viewport: { width: 1024, height: 768 } });
  await page.goto(`${clinic.at}/chair/2`);
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

const keys = async (digits) => {
  for (const digit of digits) await page.locator('[data-pad]').getByRole('button', { name: digit, exact: true }).click();
};
const saved = async (act) => {
  const [answer] = await Promise.all([page.waitForResponse((one) => one.url().endsWith('/chair/2/vitals')), act()]);
  assert.equal(answer.status(), 204);
};
const save = () => saved(() => page.getByRole('button', { name: 'Save vitals' }).click());
const shows = (words) => until(async () => (await page.locator('main').innerText()).includes(words), words);

/** Hazard 93: the second set of a page begins where the first one did. */
test('each set of taps begins at the systolic pressure, after short sets and full ones', async () => {
  for (const [digits, pressure] of [['18498', '184/98'], ['17696', '176/96'], ['1308274', '130/82'], ['1941108896', '194/110']]) {
    await keys(digits);
    await save();
    await shows(pressure);
  }
  assert.equal(await page.locator('#pad-sbp').getAttribute('placeholder'), '194');
  assert.match(await page.locator('#pad-sbp-last').innerText(), /just now/);
});

test('a set that is typed and sent by the keyboard is followed by another', async () => {
  await page.locator('#pad-sbp').focus();
  for (const [digits, pressure] of [['14488', '144/88'], ['15292', '152/92']]) {
    await page.keyboard.type(digits);
    await saved(() => page.keyboard.press('Enter'));
    await shows(pressure);
  }
});

// A pump whose link tells a volume that its rate cannot explain: the page asks to read it, with both numbers, and a person
// settles it on the sheet over the chair; a counter that was typed wrong at the start is put right there, too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, arrive, browser, infuse, placed, until } from './clinic.mjs';
import { signIn } from './hands.mjs';

let chrome, clinic, page, pump, visit, devices;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  const kim = await clinic.person('kim');
  visit = await arrive(kim, '2', '104611');
  devices = await placed(kim, '2', 2);
  pump = devices[1];
  pump.pump.status = 'not-infusing';
  await infuse(kim, visit);
  pump.pump.status = 'infusing';
  devices.forEach((device) => device.run());
  page = await signIn(chrome, clinic, 'kim', { viewport: { width: 1024, height: 768 }, reducedMotion: 'reduce' });
  await page.goto(`${clinic.at}/chair/2`);
});
after(async () => {
  devices?.forEach((device) => device.stop());
  await chrome?.close();
  await clinic?.close();
});

const infusion = () => page.locator('#infusion').innerText();
const alarm = () => page.locator('#alarm-strip .alarm', { hasText: 'Read the pump' });
const accessible = async (what) => {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id} ${nodes[0].html}`), []);
};
const read = async (fields) => {
  for (const [name, value] of Object.entries(fields)) {
    const choice = page.locator(`#sheet #pump [name="${name}"][value="${value}"]`);
    if (await choice.count()) await choice.check();
    else await page.locator(`#sheet #pump [name="${name}"]`).fill(value);
  }
  await page.getByRole('button', { name: 'Record the reading' }).click();
};

/** Hazard 124. */
test('a volume that the rate cannot explain is settled at the chair by a person who read the pump', async () => {
  await until(async () => !(await infusion()).includes('uncertain'), 'a pump that is known');
  pump.pump.ml = 31;
  await until(() => alarm().count(), 'the alarm');
  assert.match(await alarm().innerText(), /the pump counts 31 mL, its rate explains about 0 mL/);
  await until(async () => (await infusion()).includes('the pump counts 31 mL'), 'both numbers beside the dose');
  await accessible('the doubt');
  await page.getByRole('link', { name: 'Read pump' }).click();
  await page.waitForSelector('#sheet[open] #pump');
  await accessible('the sheet');
  await read({ status: 'infusing', rate: '30.8', counter: '31' });
  await page.waitForSelector('#sheet .field-error');
  assert.match(await page.locator('#sheet .field-error').first().innerText(), /cleared or jumped, and nothing flowed by that, say so/);
  await read({ correcting: 'jumped' });
  await page.waitForSelector('#sheet #pump-reason');
  await read({ reason: 'another syringe, not cleared' });
  await until(async () => !(await infusion()).includes('31 mL'), 'what is known');
  assert.doesNotMatch(await infusion(), /62 mg|41 mg of/);
});

/** Hazard 125. */
test('the counter at the start is corrected with a reason', async () => {
  await page.goto(`${clinic.at}${visit}/pump`);
  await page.locator('#start-counter-counter').fill('0.01');
  await page.getByRole('button', { name: 'Correct it' }).click();
  await page.waitForSelector('.field-error');
  assert.match(await page.locator('.field-error').first().innerText(), /The reason is empty/);
  assert.equal(await page.locator('#start-counter-counter').inputValue(), '0.01');
});

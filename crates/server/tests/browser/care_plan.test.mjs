// Beside the infusions: a nurse, a therapist and a prescriber keep one care plan, without scripts and at their sizes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, browser } from './clinic.mjs';
import { fill, send, signIn } from './hands.mjs';

const TABLET = { viewport: { width: 1024, height: 768 }, javaScriptEnabled: false };
const DESK = { viewport: { width: 1600, height: 1000 }, javaScriptEnabled: false };
const PERSON = { family: 'Rivera', given: 'Ana', born: '1984-03-12', mrn: '004217', sex: 'f', allergies: 'none' };
let chrome, clinic, nurse, care;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  nurse = await signIn(chrome, clinic, 'kim', TABLET);
  await nurse.goto(`${clinic.at}/patients`);
  await fill(nurse, 'register', PERSON);
  await nurse.getByRole('link', { name: 'Goals, medicines, therapy' }).click();
  care = nurse.url();
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

const says = (page) => page.locator('main').innerText();

test('a goal is named and rated with one tap, and a medicine left off alone is called out', async () => {
  await fill(nurse, 'goal', { words: 'Walk the dog every day' });
  await send(nurse, nurse.getByRole('button', { name: '3', exact: true }), '3');
  await fill(nurse, 'medicine', { name: 'Sertraline', dose: '100 mg', change: 'stopped', decided_by: 'alone' });
  const page = await says(nurse);
  assert.match(page, /3 of 10 on /);
  assert.match(page, /Changed without a physician/);
});

test('what a patient says is written down about one thing, and new words keep the old ones', async () => {
  for (const words of ['A blanket, and cello', 'A blanket, and nobody speaks']) {
    await fill(nurse, 'tell', { of: 'comfort', words });
  }
  const page = await says(nurse);
  assert.match(page, /What makes an infusion easier\s+A blanket, and nobody speaks/);
  assert.match(page, /Said before \(1\)/);
});

test('a note for therapists is closed to the prescriber, who opens it with a reason', async () => {
  const therapist = await signIn(chrome, clinic, 'thea', DESK);
  await therapist.goto(care);
  await fill(therapist, 'note', { kind: 'integration', text: 'Spoke about her brother.', readers: 'therapists' });
  const prescriber = await signIn(chrome, clinic, 'osei', DESK);
  await prescriber.goto(care);
  assert.doesNotMatch(await says(prescriber), /her brother/);
  const form = await prescriber.locator('form[action$="/care/open"]').getAttribute('id');
  await fill(prescriber, form, { reason: 'Called from the emergency room' });
  assert.match(await says(prescriber), /her brother/);
  await therapist.reload();
  assert.match(await says(therapist), /Called from the emergency room/);
});

test('the letter is offered when the patient has agreed', async () => {
  await nurse.goto(care);
  await fill(nurse, 'carer', { name: 'Dr Sample', role: 'family doctor', contact: '555 0100' });
  assert.equal(await nurse.getByRole('link', { name: 'Summary' }).count(), 0);
  await send(nurse, nurse.getByRole('button', { name: 'The patient says yes' }), 'yes');
  await nurse.getByRole('link', { name: 'Summary' }).click();
  assert.match(await says(nurse), /Dr Sample, family doctor[\s\S]*What is treated[\s\S]*Checks over the years/);
  const letter = await nurse.getByRole('link', { name: 'Open as PDF' }).getAttribute('href');
  const answer = await nurse.context().request.get(clinic.at + letter);
  assert.equal(answer.headers()['content-type'], 'application/pdf');
});

test('it is axe-clean and keeps to its width on phone, tablet and desk, in light, dark and dim', async () => {
  const cookies = await nurse.context().cookies();
  for (const [width, height] of [[390, 844], [1024, 768], [1600, 1000]]) {
    for (const theme of ['light', 'dark', 'dim']) {
      const context = await chrome.newContext({ viewport: { width, height } });
      await context.addCookies([...cookies, { name: 'theme', value: theme, url: clinic.at }]);
      const page = await context.newPage();
      await page.goto(care);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(violations.map((one) => `${one.id} ${one.nodes[0].target}`), [], `${theme} ${width}`);
      assert.ok(wide <= 0, `${theme} ${width}: ${wide} px too wide`);
      if (process.env.LOOK) await page.screenshot({ path: `${process.env.LOOK}/care-${theme}-${width}.png`, fullPage: true });
      await context.close();
    }
  }
});

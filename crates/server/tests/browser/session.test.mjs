// One visit from the door to the early end of its infusion, by the hands of a nurse, a prescriber and a second nurse in
// a real browser, with a monitor and a pump that speak. How a visit ends is in visit.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ANOTHER, AxeBuilder, Clinic, DISPLAY, DRAW, GATES, ORDER, PATIENT, PIN, PLAN, READ, SAID, VIAL, WEIGHT, agree, arrive, browser, until,
} from './clinic.mjs';
import * as hands from './hands.mjs';
import { fill, hold, text, value } from './hands.mjs';

let chrome, clinic;
const away = [];

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

/** Signs in, and remembers whom else the page asks. */
async function signIn(user, options) {
  const page = await hands.signIn(chrome, clinic, user, options);
  page.on('request', (request) => {
    if (!request.url().startsWith(clinic.at) && !request.url().startsWith('data:')) away.push(request.url());
  });
  return page;
}

const signed = (user) => ({ user, pin: PIN });

test('a nurse and a prescriber bring a patient to an infusion, pause it, go on and stop it', async () => {
  const nurse = await signIn('kim');
  await nurse.goto(`${clinic.at}/patients`);
  await fill(nurse, 'register', { ...PATIENT, mrn: '104501' });
  await agree(await clinic.person('lee'), new URL(nurse.url()).pathname);
  await fill(nurse, 'plan', PLAN);
  const visit = new URL(nurse.url()).pathname;
  clinic.visit = visit;
  const go = (page, to) => page.goto(`${clinic.at}${visit}${to}`);
  await fill(nurse, 'check-in', { chair: '1' });
  await fill(nurse, 'weigh', WEIGHT);

  const [monitor, pump] = ['monitor', 'pump'].map((kind) => clinic.device(kind, 1));
  await monitor.send();
  await pump.send();
  for (const device of [monitor, pump]) {
    await nurse.goto(`${clinic.at}/chair/1/devices`);
    const row = nurse.locator('li', { hasText: device.id });
    await Promise.all([nurse.waitForURL('**/devices'), row.getByRole('button', { name: 'Place at chair 1' }).click()]);
  }
  monitor.run();

  for (const [gate, answers] of Object.entries(GATES)) {
    await go(nurse, '');
    await nurse.locator(`#card-${gate}`).evaluate((card) => (card.closest('details') ?? card.querySelector('details') ?? {}).open = true);
    await fill(nurse, gate, answers);
  }
  for (const [what, score] of [['distress', '2'], ['moaas', '5']]) {
    await go(nurse, '/observe');
    await nurse.locator(`form#${what} button[value="${score}"]`).click();
    await nurse.waitForLoadState();
  }

  const prescriber = await signIn('osei');
  await go(prescriber, '/order');
  const ask = prescriber.locator('.order-page form').first();
  for (const [name, choice] of Object.entries(ORDER)) await ask.locator(`[name=${name}]`).selectOption(choice);
  await ask.getByRole('button', { name: 'Preview' }).click();
  await prescriber.waitForLoadState();
  await prescriber.getByText('DOSE 41 mg').first().waitFor();
  await fill(prescriber, 'sign', signed('osei'));
  await prescriber.context().close();

  await go(nurse, '/preparation');
  await fill(nurse, 'scan', VIAL);
  await fill(nurse, 'draw', DRAW);
  await go(nurse, '/second-check');
  assert.doesNotMatch(await nurse.locator('main').innerText(), /41 mg|30\.8/, 'the second person reads before the order is shown');
  await assert.rejects(fill(nurse, 'check', { ...READ, ...signed('kim') }), /Kim Tran cannot both draw the dose and check it/);
  await fill(nurse, 'check', { ...READ, ...signed('lee') });
  await go(nurse, '/preparation');
  await fill(nurse, 'program', DISPLAY);
  await fill(nurse, 'time-out', { confirmed: SAID });
  await fill(nurse, 'start', { counter: '0' });
  pump.run();

  await nurse.goto(`${clinic.at}/chair/1`);
  monitor.values.hr = 91;
  await until(async () => (await value(nurse, 'hr')) === '91', 'the heart rate of the monitor');
  await hold(nurse, /Pause infusion/);
  await until(async () => (await text(nurse, '.banner .phase')) === 'Paused', 'paused');
  Object.assign(pump.pump, { status: 'not-infusing', ml: 0.1 });
  await until(async () => /^0\.2 mg$/.test(await text(nurse, '[data-mg]')), 'the tenth of a millilitre that the pump counts is 0.2 mg');
  await go(nurse, '/resume');
  await assert.rejects(fill(nurse, 'resume', { rate: '30.8', reason: 'calm again' }), /missing: NIBP systolic since the pause began/);
  Object.assign(monitor.values, { sbp: 126, dbp: 78 });
  await nurse.goto(`${clinic.at}/chair/1`);
  await until(async () => (await value(nurse, 'bp')) === '126/78', 'the cuff of the monitor');
  await go(nurse, '/resume');
  pump.pump.status = 'infusing';
  await fill(nurse, 'resume', { rate: '30.8', reason: 'calm again' });
  await nurse.goto(`${clinic.at}/chair/1`);
  await until(async () => (await text(nurse, '.banner .phase')) === 'Infusing', 'infusing again');
  await hold(nurse, /Stop infusion/);
  Object.assign(pump.pump, { status: 'not-infusing', ml: 0.2 });
  await until(async () => (await text(nurse, '.banner .phase')) === 'Recovering', 'recovering');
  await pump.send();

  await go(nurse, '/discharge');
  await until(async () => {
    await nurse.reload();
    return /\b0\.4\smg/.test(await nurse.locator('main').innerText());
  }, 'delivered by the pump: 0.2 mL are 0.4 mg');
  assert.doesNotMatch(await nurse.locator('form#waste').innerText(), /40\.6|20\.3 mL/, 'the expected volume stays hidden');
  await fill(nurse, 'waste', { wasted: '20.2', residual_in_line: '0.1', left_in_vial_1: '9.2', vial_fate: 'wasted', ...signed('lee') });
  await go(nurse, '/discharge');
  const home = nurse.locator('section', { hasText: 'Home' }).first();
  assert.match(await home.innerText(), /earliest|not before|min/i, 'too early to go home');

  const chair = await nurse.goto(`${clinic.at}/chair/1`).then(() => text(nurse, '[data-events]'));
  for (const words of [/41 mg/, /second check|checked/i, /paus/i, /resum/i, /wast/i]) assert.match(chair, words);
  assert.deepEqual([monitor.refused, pump.refused], [[], []]);
  assert.ok(monitor.accepted > 3 && pump.accepted > 2);
  for (const device of [monitor, pump]) device.stop();
  await nurse.context().close();
});

/** The visit of the first test where it ran, else one that just began. */
async function someVisit() {
  if (clinic.visit === undefined) {
    clinic.visit = await arrive(await clinic.person('kim'), '1', '104888');
  }
  return { path: clinic.visit, chair: '1' };
}

const PATHS = () => [
  '/board', '/chair/1', '/chair/2', '/chair/1/vitals', '/chair/1/devices', '/patients', clinic.visit, `${clinic.visit}/order`,
  `${clinic.visit}/preparation`, `${clinic.visit}/second-check`, `${clinic.visit}/observe`, `${clinic.visit}/note`,
  `${clinic.visit}/event`, `${clinic.visit}/event/nausea_vomiting`, `${clinic.visit}/rate`, `${clinic.visit}/label`, `${clinic.visit}/drug`, `${clinic.visit}/pump`, `${clinic.visit}/discharge`, '/account', '/about',
  '/records', clinic.visit.replace('/visit/', '/record/'),
];

/** Each theme where it is used: light on a tablet, dark on the wall, dim at the chair. */
const SCREENS = { light: { width: 1024, height: 768 }, dark: { width: 1600, height: 900 }, dim: { width: 1024, height: 768 } };

test('every page is axe-clean and keeps to its width on tablet and wall, in light, dark and dim', async () => {
  await someVisit();
  // One that just began has forms that the one before has no more.
  const begun = await arrive(await clinic.person('kim'), '4', '104999');
  // Alarms flash; what is off for half a second is judged as it is on.
  const page = await signIn('kim', { reducedMotion: 'reduce' });
  const found = [];
  for (const [theme, size] of Object.entries(SCREENS)) {
    await page.setViewportSize(size);
    await page.goto(`${clinic.at}/about`);
    // The next page is asked for when the server has the choice.
    const kept = page.waitForResponse((answer) => new URL(answer.url()).pathname === '/theme');
    await page.locator(`.theme-switch button[value=${theme}]`).click();
    await kept;
    await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, theme);
    for (const path of [...PATHS(), begun]) {
      await page.goto(clinic.at + path);
      assert.equal(await page.locator('html').getAttribute('data-theme'), theme, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${theme} ${path}: ${wide} px wider than the screen`);
      const { violations } = await new AxeBuilder({ page }).analyze();
      for (const one of violations) found.push(`${theme} ${path}: ${one.id} (${one.impact}) ${one.nodes[0].target} ${one.nodes[0].failureSummary ?? ''}`);
    }
  }
  assert.deepEqual(found, []);
  await page.context().close();
});

test('a visit can be begun without scripts, and a refusal keeps what was typed', async () => {
  const page = await signIn('kim', { javaScriptEnabled: false });
  await page.goto(`${clinic.at}/patients`);
  const born = { ...PATIENT, mrn: '104777', born: '2999-01-01' };
  await assert.rejects(fill(page, 'register', born), /Nothing was recorded/);
  assert.equal(await page.locator('form#register [name=mrn]').inputValue(), '104777');
  await assert.rejects(fill(page, 'register', { ...PATIENT, mrn: '104777' }), /RIVERA, Ana[\s\S]*record number \d+/);
  await fill(page, 'register', ANOTHER);
  await fill(page, 'plan', PLAN);
  await fill(page, 'check-in', { chair: '2' });
  await fill(page, 'weigh', WEIGHT);
  assert.match(await page.locator('main').innerText(), /82/);
  await page.goto(`${clinic.at}/chair/2`);
  assert.match(await page.locator('main').innerText(), /RIVERA, Ana/);
  await page.context().close();
});

test('a form that is clicked twice acts once', async () => {
  const { path, chair } = await someVisit();
  const page = await signIn('kim');
  await page.goto(`${clinic.at}${path}/note`);
  await page.locator('form#note [name=text]').fill('said once');
  await page.locator('form#note button[type=submit]').dblclick();
  // The second sending takes the place of the first one's answer.
  await until(() => !page.url().endsWith('/note'), 'the answer');
  await page.waitForLoadState();
  await page.goto(`${clinic.at}/chair/${chair}`);
  assert.equal(await page.locator('[data-events] li', { hasText: 'said once' }).count(), 1);
  await page.context().close();
});

test('a tab of an earlier patient is refused', async () => {
  const { path } = await someVisit();
  const page = await signIn('kim');
  await page.goto(`${clinic.at}${path}/note`);
  await page.locator('form#note [name=session]').evaluate((field) => (field.value = 'another-visit'));
  await page.locator('form#note [name=text]').fill('for somebody else');
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.request().method() === 'POST' && one.url().includes('/note')),
    page.locator('form#note button[type=submit]').click(),
  ]);
  assert.equal(answer.status(), 409);
  await page.context().close();
});

test('no page asked anybody but the clinic', () => assert.deepEqual(away, []));

// A prescriber fills a consultation by the keyboard on a desktop: a slip stands beside its field, two who edit one
// section both see what the other wrote, and what is complete opens the course.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, browser } from './clinic.mjs';
import { signIn, text } from './hands.mjs';
import { ANSWERS, PERSON, SECTIONS, day } from './screened.mjs';

const DESKTOP = { viewport: { width: 1600, height: 1000 } };
const TABLET = { viewport: { width: 1024, height: 768 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
let chrome, clinic, path;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  path = await (await clinic.person('kim')).post('/patients', PERSON);
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

/** Goes through the form with the tabulator, answers what is known by keys alone, and sends it with Enter. */
async function byKeys(page, answers) {
  await page.locator('form#section :is(input:not([type=hidden]), select, textarea)').first().focus();
  for (let n = 0; n < 400; n += 1) {
    const at = await page.evaluate(() => {
      const { tagName, name, type, value, checked, form } = document.activeElement;
      return { tag: tagName, name, type, value, checked, inside: form?.id === 'section' };
    });
    assert.ok(at.inside, `the tabulator left the form at ${at.tag} ${at.name}`);
    if (at.tag === 'BUTTON') return Promise.all([page.waitForResponse((sent) => sent.request().method() === 'POST'), page.keyboard.press('Enter')]);
    await answer(page, at, answers[at.name]);
    await page.keyboard.press('Tab');
  }
  throw new Error('the form has no end');
}

/** One field by keys: typed, chosen by its arrows, or ticked. */
async function answer(page, at, wanted) {
  if (wanted === undefined) return undefined;
  if (at.type === 'checkbox') return at.checked ? undefined : page.keyboard.press('Space');
  if (at.type === 'radio') return choose(page, at, wanted);
  if (wanted === at.value) return undefined;
  if (at.tag === 'SELECT') {
    await page.keyboard.press('Home');
    for (let n = 0; n < 60 && (await page.evaluate(() => document.activeElement.value)) !== wanted; n += 1) await page.keyboard.press('ArrowDown');
    return undefined;
  }
  // A browser asks for a day or a time in the order of its own country: filling it is what its keys come to.
  if (['date', 'datetime-local'].includes(at.type)) return page.locator(':focus').fill(wanted);
  await page.keyboard.press('Control+A');
  return page.keyboard.type(wanted);
}

async function choose(page, { name }, wanted) {
  await page.keyboard.press('Space');
  for (let n = 0; n < 20; n += 1) {
    if ((await page.locator(`input[name="${name}"]:checked`).first().inputValue()) === wanted) return;
    await page.keyboard.press('ArrowDown');
  }
  throw new Error(`${name} has no ${wanted}`);
}

/** No fault of axe in any theme at any size, nothing wider than the screen. */
async function looksWell(page) {
  const [address, cookies] = [page.url(), await page.context().cookies()];
  for (const options of [DESKTOP, TABLET, PHONE]) {
    for (const theme of ['light', 'dark', 'dim']) {
      const context = await chrome.newContext(options);
      await context.addCookies([...cookies.filter((one) => one.name !== 'theme'), { name: 'theme', value: theme, url: clinic.at }]);
      const other = await context.newPage();
      await other.goto(address);
      const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const { violations } = await new AxeBuilder({ page: other }).analyze();
      assert.deepEqual(violations.map((one) => `${theme} ${one.id} ${one.nodes[0].target}`), [], address);
      assert.ok(wide <= 0, `${theme} ${options.viewport.width} ${address}: ${wide} px too wide`);
      if (process.env.LOOK) await other.screenshot({ path: `${process.env.LOOK}/consultation-${address.split('/').at(-1)}-${theme}-${options.viewport.width}.png`, fullPage: true });
      await context.close();
    }
  }
}

test('a slip stands beside its field with what was typed, and nothing is recorded', async () => {
  const osei = await signIn(chrome, clinic, 'osei', DESKTOP);
  await osei.goto(`${clinic.at}${path}/consultation/trials`);
  await byKeys(osei, { ...ANSWERS, 'trials[0].weeks': 'ten', 'trials[1].adherence_percent': '950' });
  const field = osei.locator('[name="trials[0].weeks"]');
  const said = await field.evaluate((node) => node.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).innerText).join(' '));
  assert.match(said, /ten/);
  assert.equal(await field.inputValue(), 'ten', 'what was typed stands');
  assert.equal(await osei.locator('[name="trials[1].drug"]').inputValue(), 'venlafaxine', 'and the rest too');
  assert.match(await text(osei, '.error-summary'), /Nothing was recorded/);
  await looksWell(osei);
  await osei.goto(`${clinic.at}${path}/consultation`);
  assert.match(await text(osei, 'main'), /What was tried before\s+Not asked yet/);
  await osei.context().close();
});

test('two who edit one section both see what the other recorded', async () => {
  const [osei, kim] = [await signIn(chrome, clinic, 'osei', DESKTOP), await signIn(chrome, clinic, 'kim', TABLET)];
  for (const page of [osei, kim]) await page.goto(`${clinic.at}${path}/consultation/diagnoses`);
  await byKeys(kim, ANSWERS);
  await kim.waitForURL(/\/consultation$/);
  await byKeys(osei, { ...ANSWERS, 'diagnoses[0].text': 'Dysthymia' });
  assert.match(await text(osei, '[aria-labelledby=meanwhile-title]'), /Recorded meanwhile[\s\S]*Recurrent depression, severe/);
  assert.equal(await osei.locator('[name="diagnoses[0].text"]').inputValue(), 'Dysthymia');
  await looksWell(osei);
  await byKeys(osei, {});
  await osei.waitForURL(/\/consultation$/);
  assert.match(await text(osei, 'main'), /Dysthymia/, 'who has seen both decides');
  await osei.context().close();
  await kim.context().close();
});

test('a prescriber asks everything by the keyboard, screens, and the course may open', async () => {
  const osei = await signIn(chrome, clinic, 'osei', DESKTOP);
  for (const section of SECTIONS) {
    await osei.goto(`${clinic.at}${path}/consultation/${section}`);
    await byKeys(osei, section === 'medicines' ? { none: 'yes' } : ANSWERS);
    await osei.waitForURL(/\/consultation$/);
  }
  assert.doesNotMatch(await text(osei, 'main'), /Not asked yet|Missing:/);
  assert.match(await text(osei, 'main'), /No course may open yet[\s\S]*Screen first/);
  await looksWell(osei);
  await osei.getByRole('button', { name: 'Screen now' }).focus();
  await Promise.all([osei.waitForResponse((sent) => sent.request().method() === 'POST'), osei.keyboard.press('Enter')]);
  await osei.waitForURL(/\/consultation$/);
  assert.match(await text(osei, 'main'), /A course may open[\s\S]*Nothing speaks against it|A course may open[\s\S]*Warnings to be seen/);
  await looksWell(osei);
  await osei.goto(`${clinic.at}${path}/course?regimen=mdd_trd_std`);
  assert.ok(await osei.getByRole('button', { name: 'Sign the plan' }).isVisible());
});

// A prescriber signs a plan, the front desk books its visits with talks, a refusal stands beside its visit, and
// everybody finds them in the calendar.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, PIN, browser } from './clinic.mjs';
import { fill, send, signIn, text } from './hands.mjs';
import { ANSWERS, PERSON, SECTIONS, day } from './screened.mjs';

const DESKTOP = { viewport: { width: 1600, height: 1000 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
let chrome, clinic, kim, path;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  kim = await clinic.person('kim');
  path = await kim.post('/patients', PERSON);
  for (const section of SECTIONS) {
    const none = section === 'medicines' ? { none: 'yes' } : {};
    await kim.post(`${path}/consultation/${section}`, { ...ANSWERS, ...none, rows: '4', read: '0' });
  }
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

/** No fault of axe in any theme, nothing wider than the screen. */
async function looksWell(page, options) {
  const [address, cookies] = [page.url(), await page.context().cookies()];
  for (const theme of ['light', 'dark', 'dim']) {
    const context = await chrome.newContext(options);
    await context.addCookies([...cookies.filter((one) => one.name !== 'theme'), { name: 'theme', value: theme, url: clinic.at }]);
    const other = await context.newPage();
    await other.goto(address);
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const { violations } = await new AxeBuilder({ page: other }).analyze();
    assert.deepEqual(violations.map((one) => `${theme} ${one.id} ${one.nodes[0].target}`), [], address);
    assert.ok(wide <= 0, `${theme} ${address}: ${wide} px too wide`);
    await context.close();
  }
}

test('a plan is signed when the consultation lets it, and what is due is made', async () => {
  const osei = await signIn(chrome, clinic, 'osei', DESKTOP);
  await osei.goto(`${clinic.at}${path}/course`);
  assert.match(await text(osei, 'main'), /No course may open yet/);
  await kim.post(`${path}/screening`, { profile: 'default' });
  await osei.reload();
  await osei.locator('#begin').selectOption('mdd_trd_std');
  await osei.getByRole('button', { name: 'Fill in its plan' }).click();
  await osei.waitForURL(/regimen=/);
  await looksWell(osei, DESKTOP);
  await looksWell(osei, PHONE);
  await fill(osei, 'plan', { conditions: 'F33.2', stop_rules: 'no response after the fourth', user: 'osei', pin: PIN });
  assert.match(await text(osei, 'main'), /in induction[\s\S]*signed by Ama Osei/);
  for (const option of await osei.locator('form#check select option').evaluateAll((all) => all.map((one) => one.value))) {
    await kim.post(`${path}/course/check`, { check: option, on: day(0), result: 'normal', judged: 'within_limits' });
  }
  await osei.reload();
  assert.match(await text(osei, 'main'), /No check is due/);
  await looksWell(osei, DESKTOP);
});

test('six visits and their talks are booked whole, and one on a Sunday is refused beside its field', async () => {
  const robin = await signIn(chrome, clinic, 'robin', { ...DESKTOP, javaScriptEnabled: false });
  await robin.goto(`${clinic.at}${path}/booking`);
  await robin.getByLabel('First day').fill(day(10));
  await robin.getByLabel('Time of day').fill('09:30');
  await robin.getByLabel(/With a therapist/).check();
  await robin.getByRole('button', { name: 'Propose' }).click();
  await robin.waitForURL(/start=/);
  const form = robin.locator('form#book');
  assert.equal(await form.locator('input[name^="visit-"]').count(), 6);
  assert.equal(await form.locator('input[name^="integration-"]').count(), 6);
  await looksWell(robin, DESKTOP);
  await looksWell(robin, PHONE);
  const proposed = await form.locator('[name="visit-2"]').inputValue();
  let sunday = new Date(`${proposed}Z`);
  while (sunday.getUTCDay() !== 0) sunday = new Date(sunday.getTime() + 86_400_000);
  const place = { chair: '2', nurse: 'kim', therapist: 'thea' };
  const moved = fill(robin, 'book', { ...place, 'visit-2': sunday.toISOString().slice(0, 16) });
  await assert.rejects(moved, /closed on Sundays/);
  assert.match(await text(robin, '#book-visit-2-error'), /closed on Sundays/);
  assert.equal(await form.locator('[name="visit-2"]').inputValue(), sunday.toISOString().slice(0, 16), 'what was typed stands');
  await fill(robin, 'book', { 'visit-2': proposed });
  assert.equal(await robin.locator('section[aria-labelledby=booked-title] li').count(), 13);
  await looksWell(robin, PHONE);

  await fill(robin, 'wait', { wish: 'mornings' });
  await robin.goto(`${clinic.at}/waitlist`);
  assert.match(await text(robin, 'main'), /RIVERA, Ana[\s\S]*mornings/);
  await looksWell(robin, DESKTOP);
  await looksWell(robin, PHONE);
});

test('the estimate of the plan is read, printed without its buttons, and given', async () => {
  const owner = await clinic.person('owner');
  await owner.post('/prices', { currency: 'USD', consultation: '250', session: '600.00', booster: '550', valid_d: '90' });
  const robin = await signIn(chrome, clinic, 'robin', DESKTOP);
  await robin.goto(`${clinic.at}${path}/estimate`);
  assert.match(await text(robin, 'main'), /Infusions of the series\s+6\s+600\.00\s+3,600\.00/);
  await looksWell(robin, DESKTOP);
  await looksWell(robin, PHONE);
  await robin.emulateMedia({ media: 'print' });
  assert.equal(await robin.locator('main button:visible').count(), 0);
  assert.match(await text(robin, 'main'), /Holds until/);
  await robin.emulateMedia({ media: 'screen' });
  await fill(robin, 'give', {});
  assert.match(await text(robin, 'main'), /Given so far[\s\S]*3,600\.00 USD by version 1/);
});

test('the calendar shows them by keyboard, and gives an address for a phone', async () => {
  const thea = await signIn(chrome, clinic, 'thea', DESKTOP);
  await thea.goto(`${clinic.at}/calendar`);
  await thea.locator('#day').fill(day(10));
  await thea.locator('#view').selectOption('week');
  await thea.getByRole('button', { name: 'Show' }).press('Enter');
  await thea.waitForURL(/view=week/);
  assert.match(await text(thea, 'main'), /RIVERA, Ana[\s\S]*Infusion[\s\S]*Integration/);
  await looksWell(thea, DESKTOP);
  await looksWell(thea, PHONE);
  await thea.locator('#view').selectOption('people');
  await thea.getByRole('button', { name: 'Show' }).press('Enter');
  await thea.waitForURL(/view=people/);
  assert.match(await text(thea, 'tbody'), /RIVERA, Ana/);
  await looksWell(thea, DESKTOP);
  await looksWell(thea, PHONE);
  const feed = await fetch((await thea.locator('#feed').inputValue()).replace('webcal:', 'http:'));
  const words = await feed.text();
  assert.equal((words.match(/SUMMARY:Integration/g) ?? []).length, 6);
  assert.doesNotMatch(words, /Rivera|Ana/i);
});

test('two who change one plan see both side by side, and the visits that must be moved are told', async () => {
  const osei = await signIn(chrome, clinic, 'osei', DESKTOP);
  await osei.goto(`${clinic.at}${path}/course`);
  const late = await osei.context().newPage();
  await late.goto(`${clinic.at}${path}/course`);
  // So long that it ends when the clinic has closed.
  await fill(osei, 'plan', { minutes: '500', reason: 'was queasy', user: 'osei', pin: PIN });
  assert.match(await text(osei, 'main'), /Visits that must be moved[\s\S]*the clinic is not open from 09:30/);
  await looksWell(osei, DESKTOP);
  await looksWell(osei, PHONE);
  await assert.rejects(fill(late, 'plan', { titration: 'by 0.1 mg/kg', reason: 'faster', user: 'osei', pin: PIN }), /meanwhile/);
  assert.match(await text(late, 'section[aria-labelledby=beside-title]'), /minutes\s+40\s+500\s+40[\s\S]*titration\s+none\s+none\s+by 0\.1 mg/);
  for (const size of [DESKTOP, PHONE]) {
    await late.setViewportSize(size.viewport);
    const { violations } = await new AxeBuilder({ page: late }).analyze();
    assert.deepEqual(violations.map((one) => `${one.id} ${one.nodes[0].target}`), []);
    assert.ok(await late.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  }
});

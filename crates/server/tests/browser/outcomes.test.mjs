// What became of the patients of a clinic with a year behind it: without scripts, in each theme, at each size, on paper.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Demonstration, browser } from './clinic.mjs';
import { text } from './hands.mjs';

const PHONE = { width: 390, height: 844 };
const TABLET = { width: 1024, height: 768 };
const DESKTOP = { width: 1600, height: 1000 };
let chrome, demo;

before(async () => {
  [chrome, demo] = await Promise.all([browser(), Demonstration.open(12)]);
});
after(async () => {
  await chrome?.close();
  await demo?.close();
});

async function osei(options = {}) {
  const context = await chrome.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  await page.goto(`${demo.at}/sign-in`);
  await page.getByLabel('User name').fill('osei');
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.goto(`${demo.at}/outcomes`);
  return page;
}

test('numbers come with their interval, what is missing and what was published, and the file says the same', async () => {
  const page = await osei({ javaScriptEnabled: false });
  await page.getByLabel('Treated for').selectOption('any');
  await page.getByRole('button', { name: 'Show' }).click();
  const shown = await text(page, 'main');
  const [, events, of] = /Responded\s+(\d+) of (\d+)/.exec(shown);
  assert.match(shown, /patients began a series[\s\S]*Wilson[\s\S]*it is not known[\s\S]*Kaplan and Meier/);
  const href = await page.getByRole('link', { name: 'Download as CSV' }).getAttribute('href');
  const csv = await (await page.context().request.get(demo.at + href)).text();
  assert.match(csv, new RegExp(`^Responded,42,${events},${of},`, 'm'));
  await page.getByLabel('Last score within days').fill('none');
  await page.getByRole('button', { name: 'Show' }).click();
  assert.match(await text(page, 'main'), /“none” is no whole number of days/);
  await page.context().close();
});

test('it is whole on each screen and in each theme, and on paper without its form', async () => {
  const page = await osei();
  for (const theme of ['light', 'dark', 'dim']) {
    await page.context().addCookies([{ name: 'theme', value: theme, url: demo.at }]);
    for (const size of [PHONE, TABLET, DESKTOP]) {
      await page.setViewportSize(size);
      await page.goto(`${demo.at}/outcomes`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(violations.map((one) => `${theme} ${one.id} ${one.nodes[0].target}`), []);
      assert.ok(wide <= 0, `${theme} ${size.width}: ${wide} px too wide`);
    }
  }
  await page.emulateMedia({ media: 'print' });
  assert.ok(!(await page.getByRole('button', { name: 'Show' }).isVisible()));
  assert.ok(await page.getByRole('heading', { name: 'Published, to stand beside' }).isVisible());
});

// The simulation lab in a real browser: by keyboard, without scripts, on a telephone and in every theme.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, browser } from './clinic.mjs';
import { signIn, text } from './hands.mjs';

const SLOW_MS = 120_000;
const QUESTION = 'r1=0.5+mg/kg+over+40+min&r2=0.5+mg/kg+over+100+min&m=kamp_meta2020&m=simons2022&e=blood_pressure&e=antidepressant_course&weight=70&until=240';

let chrome, clinic;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

async function open(path, options = {}) {
  const page = await signIn(chrome, clinic, 'osei', options);
  page.setDefaultTimeout(SLOW_MS);
  await page.goto(clinic.at + path);
  return page;
}

test('two regimens are compared by keyboard alone, without scripts, and the address is the whole question', async () => {
  const page = await open('/lab', { javaScriptEnabled: false });
  await page.locator('#r1').focus();
  await page.keyboard.type('0.5 mg/kg over 40 min');
  await page.keyboard.press('Tab');
  await page.keyboard.type('0.25 mg/kg bolus; 0.25 mg/kg over 60 min');
  await page.locator('#weight').focus();
  await page.keyboard.type('70');
  await page.locator('#until').focus();
  await page.keyboard.type('120');
  await page.locator('[name=e][value=heart_rate]').focus();
  await page.keyboard.press('Space');
  await Promise.all([page.waitForURL(/until=120/), page.keyboard.press('Enter')]);
  assert.match(await text(page, 'main'), /For study, not for dosing a patient/);
  const pictures = page.locator('.lab-figure svg');
  assert.equal(await pictures.count(), 3, 'plasma, effect site, heart rate');
  const words = await pictures.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
  assert.match(words[2], /Heart rate, change.*A 0\.5 mg\/kg over 40 min.*highest 4\.\d bpm.*B 0\.25/);
  const again = await open(page.url().slice(clinic.at.length));
  assert.deepEqual(await again.locator('.lab-figure svg').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label'))), words);
  for (const one of [page, again]) await one.context().close();
});

test('levels of a patient stay on the page that answers, and in no address', async () => {
  const page = await open(`/lab?${QUESTION}`, { javaScriptEnabled: false });
  await page.locator('#measured').fill('time_min,analyte,value,unit\n40,cp,183.25,ng/mL');
  await page.locator('#site').selectOption('arterial');
  await Promise.all([page.waitForLoadState(), page.getByRole('button', { name: 'Simulate' }).click()]);
  await page.locator('#results').waitFor();
  assert.equal(page.url(), `${clinic.at}/lab#results`);
  assert.match(await page.locator('.lab-figure svg').first().getAttribute('aria-label'), /measured in arterial blood: 1 levels/);
  assert.match(await page.locator('#measured').inputValue(), /183\.25/);
  const addresses = await page.locator('a').evaluateAll((all) => all.map((one) => one.href));
  assert.ok(addresses.every((address) => !address.includes('183')), addresses.join(' '));
  await page.getByRole('link', { name: 'The question without them' }).click();
  await page.waitForURL(/r1=0\.5/);
  assert.doesNotMatch(await page.locator('.lab-figure svg').first().getAttribute('aria-label'), /measured/);
  await page.context().close();
});

test('the file holds the numbers of the page', async () => {
  const page = await open(`/lab?${QUESTION}&people=50`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click()]);
  const [head, ...rows] = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  assert.equal(head, 'regimen,model,output,unit,role,time_min,typical,studies_low,studies_high,p5,p25,p50,p75,p95,sampling_site,levels_of');
  // Plasma, effect site, three pressures and the course of days, of two regimens by two models, at every time.
  const times = new Set(rows.map((row) => row.split(',')[5]));
  assert.equal(rows.length, 6 * 2 * 2 * times.size);
  const of = (output) => rows.map((row) => row.split(',')).filter((row) => row[0] === 'A' && row[1] === 'kamp_meta2020' && row[2] === output);
  const peak = Math.max(...of('sbp_change').map((row) => Number(row[6])));
  assert.ok((await text(page, 'main')).includes(`${peak.toFixed(1)} mmHg`), `${peak}`);
  assert.ok(of('madrs_beyond_control').every((row) => row[4] === 'exploratory' && row[9] === ''), 'no person is promised a course');
  assert.match(await text(page, 'main'), /antidepressant_course is exploratory/);
  await page.context().close();
});

test('the six infusions of two weeks are drawn as high as each other', async () => {
  const page = await open('/lab?r1=0.5+mg/kg+over+40+min+every+2880+min+6+times&r2=0.5+mg/kg+over+100+min+every+2880+min+6+times&m=kamp_meta2020&weight=70&until=20160');
  const words = await page.locator('.lab-figure svg').first().getAttribute('aria-label');
  const [fast, slow] = [...words.matchAll(/highest ([\d.]+) ng\/mL/g)].map((found) => Number(found[1]));
  assert.ok(fast > 250 && slow > 100 && fast > slow, words);
  const peaks = await page.locator('.lab-figure svg').first().evaluate((svg) => {
    const line = [...svg.querySelectorAll('path, polyline')].map((one) => (one.getAttribute('points') ?? one.getAttribute('d')).match(/-?[\d.]+[ ,]-?[\d.]+/g).map((pair) => pair.split(/[ ,]/).map(Number)));
    const curve = line.sort((a, b) => b.length - a.length)[0];
    return curve.filter(([, y], at) => at > 0 && at < curve.length - 1 && y < curve[at - 1][1] && y <= curve[at + 1][1]).map(([, y]) => y);
  });
  assert.equal(peaks.length, 6, `${peaks}`);
  assert.ok(Math.max(...peaks) - Math.min(...peaks) < 8, `${peaks}`);
  await page.context().close();
});

test('a refusal stands beside its field, with what was typed', async () => {
  const page = await open('/lab?r1=0.5+mg+over+40&m=kamp_meta2020&weight=-70&until=240');
  assert.match(await page.title(), /^Error: /);
  const summary = page.locator('.error-summary');
  assert.equal(await summary.locator('a').count(), 2);
  assert.match(await text(page, '#r1-error'), /its length is not in min/);
  assert.equal(await page.locator('#r1').inputValue(), '0.5 mg over 40');
  assert.equal(await page.locator('#weight').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.locator('.lab-figure').count(), 0);
  assert.equal((await page.request.get(page.url())).status(), 422);
  assert.equal((await page.request.get(page.url().replace('/lab?', '/lab/comparison.csv?'))).status(), 422);
  await page.context().close();
});

test('a warning stands at its pictures', async () => {
  const page = await open('/lab?r1=2+mg/kg+over+40+min&m=kamp_meta2020&m=clements250&e=blood_pressure&weight=130&until=240');
  const said = await page.locator('.lab-models > section').allInnerTexts();
  assert.match(said[0], /weight 130 kg, valid 45 to 120 kg/);
  assert.match(said[0], /outside the validity of blood_pressure/);
  assert.match(said[1], /no effect site is known for venous blood/);
  await page.context().close();
});

test('it is axe-clean and keeps to its width on desk and telephone, in light, dark and dim', async () => {
  for (const [theme, width] of [['light', 1280], ['dark', 1280], ['dim', 1280], ['light', 390], ['dark', 320]]) {
    const page = await open('/lab', { viewport: { width, height: 880 } });
    await Promise.all([page.waitForLoadState(), page.locator(`[name=theme][value=${theme}]`).click()]);
    for (const path of ['/lab', `/lab?${QUESTION}`, '/lab?r1=5']) {
      await page.goto(clinic.at + path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${path} in ${theme} is ${wide} px on ${width}`);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes[0].html}`), [], `${path} in ${theme} at ${width}`);
    }
    await page.context().close();
  }
});

// The real program and the real browser while things break: it is killed, it hangs, pages freeze, the last display goes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clinic, arrive, browser, id, infuse, placed, until } from './clinic.mjs';

let chrome, clinic, nurse, visit, devices;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  nurse = await clinic.person('kim');
  visit = await arrive(nurse, '1', '104501');
  devices = await placed(nurse, '1', 1);
  for (const device of devices) device.run();
  await infuse(nurse, visit);
});
after(async () => {
  for (const device of devices ?? []) device.stop();
  await chrome?.close();
  await clinic?.close();
});

const text = (page, selector) => page.locator(selector).first().innerText();
const dead = (page) => page.locator('.dead');
const live = (page) => until(async () => (await text(page, '#connection-state')) === 'Live', 'live');

/** A display paints, and what was said before about that is seen and gone. */
async function shown() {
  await until(async () => {
    await nurse.acknowledge();
    return !/No screen shows/.test(await nurse.text('/board'));
  }, 'a display that counts');
}

async function open(path) {
  const page = await nurse.page(chrome);
  await page.goto(clinic.at + path);
  await live(page);
  return page;
}

test('a value of the monitor stands on the page and on the board', async () => {
  const [chair, board] = [await open('/chair/1'), await open('/board')];
  devices[0].values.hr = 83;
  for (const page of [chair, board]) {
    await until(async () => (await text(page, '[data-tile=hr] [data-value]')) === '83', 'the heart rate');
  }
  await Promise.all([chair, board].map((page) => page.context().close()));
});

test('a killed server: NOT MONITORED, then the stream, the alarm and the doubt are there again', async () => {
  const page = await open('/chair/1');
  await until(async () => !(await page.locator('.infusion.is-uncertain').count()), 'the pump is read');
  for (const device of devices) device.stop();
  await clinic.kill();
  await dead(page).waitFor({ timeout: 10_000 });
  assert.match(await dead(page).innerText(), /NOT MONITORED/);
  await clinic.start();
  await dead(page).waitFor({ state: 'hidden', timeout: 20_000 });
  await until(async () => /Chair 1/.test(await text(page, '#alarm-strip')), 'an alarm for the gap');
  await until(async () => /not watched|interrupted/i.test(await page.locator('#alarm-strip').textContent()), 'the alarm says that nobody watched');
  await until(() => page.locator('.infusion.is-uncertain').count(), 'delivery uncertain');
  assert.match(await page.locator('.infusion').innerText(), /Delivery uncertain: read the pump/);
  devices[1].pump.ml = 0.1;
  for (const device of devices) device.run();
  await until(async () => !(await page.locator('.infusion.is-uncertain').count()), 'certain again once the pump is read');
  await page.context().close();
});

test('a server that hangs with open sockets brings NOT MONITORED too', async () => {
  const page = await open('/board');
  clinic.hang(true);
  await dead(page).waitFor({ timeout: 10_000 });
  clinic.hang(false);
  await dead(page).waitFor({ state: 'hidden', timeout: 20_000 });
  await page.context().close();
});

/** Processes that draw pages. */
async function renderers(chrome) {
  const session = await chrome.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

const noScreen = async (page) => /No screen shows this chair/.test(await page.locator('#alarm-strip').textContent());

test('when the only display is frozen, an alarm reaches a second one', async () => {
  const only = await browser();
  const page = await nurse.page(only);
  await page.goto(`${clinic.at}/chair/1`);
  await live(page);
  await shown();
  const frozen = await renderers(only);
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');
  await until(async () => /No screen shows this chair/.test(await nurse.text('/board')), 'the alarm in the room', 30);
  const second = await open('/board');
  await until(() => noScreen(second), 'the alarm on the second display');
  for (const pid of frozen) process.kill(pid, 'SIGCONT');
  await Promise.all([only.close(), second.context().close()]);
});

test('a display that nobody can see counts for none', async () => {
  const page = await open('/chair/1');
  await shown();
  await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' }));
  await until(async () => /No screen shows this chair/.test(await nurse.text('/board')), 'the alarm in the room', 30);
  await page.context().close();
});

test('when the last display is closed, an alarm is raised and stands on the next one', async () => {
  const page = await open('/board');
  await shown();
  await page.context().close();
  await until(async () => /No screen shows this chair/.test(await nurse.text('/board')), 'the alarm', 30);
  const next = await open('/chair/1');
  await until(() => noScreen(next), 'the alarm on the next display');
  await next.context().close();
});

test('an alarm of the monitor comes with words, is acknowledged once, and says by whom', async () => {
  const page = await open('/chair/1');
  devices[0].values.spo2 = 84;
  const row = page.locator('.alarm', { hasText: 'SpO' });
  await row.first().waitFor({ timeout: 40_000 });
  assert.match(await row.first().innerText(), /84/);
  await row.first().getByRole('button', { name: 'Acknowledge' }).dblclick();
  await until(async () => /kim/i.test(await row.first().textContent()), 'acknowledged by');
  devices[0].values.spo2 = 98;
  await page.context().close();
});

test('a tab of an earlier patient acts on nobody', async () => {
  const status = await nurse.status('/chair/1/pause', { session: 'an-earlier-visit', reason: 'stale' });
  assert.equal(status, 409);
  assert.match(await nurse.text('/chair/1'), /data-phase="infusing"/);
});

test('a stop that is sent twice acts once', async () => {
  const once = '00000000-0000-7000-8000-000000000001';
  const stop = () => nurse.status('/chair/1/stop', { session: id(visit), reason: 'end of the test' }, once);
  assert.deepEqual(await Promise.all([stop(), stop()]), [303, 303]);
  const page = await nurse.text('/chair/1');
  assert.equal(page.match(/<time>[^<]*<\/time> <span>Infusion (stopped|ended)/gi)?.length, 1, page.match(/<ol data-events>[\s\S]*?<\/ol>/)?.[0]);
});

// The line between the tablet and the clinic breaks: before an entry goes out, and after it arrived but before its
// answer does. A real line through a relay that is cut; the program and the browser are the real ones.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Clinic, arrive, browser, infuse, until } from './clinic.mjs';

/** Carries everything to the clinic until it is cut. */
class Line {
  #sockets = new Set();
  #cut = false;
  /** Lets requests through and swallows what comes back. */
  swallowsAnswers = false;

  static async to(port) {
    const line = new Line();
    line.relay = createServer((here) => line.#carry(here, port));
    await new Promise((ready) => line.relay.listen(0, '127.0.0.1', ready));
    line.at = `http://127.0.0.1:${line.relay.address().port}`;
    return line;
  }

  #carry(here, port) {
    if (this.#cut) return here.destroy();
    const there = connect(port, '127.0.0.1');
    for (const socket of [here, there]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    here.on('data', (bytes) => there.write(bytes));
    there.on('data', (bytes) => this.swallowsAnswers || here.write(bytes));
    here.on('close', () => there.destroy());
    there.on('close', () => here.destroy());
  }

  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  mend() {
    this.#cut = false;
    this.swallowsAnswers = false;
  }

  close() {
    this.cut();
    this.relay.close();
  }
}

let chrome, clinic, nurse, line, page;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  nurse = await clinic.person('kim');
  const visit = await arrive(nurse, '1', '104501');
  await infuse(nurse, visit);
  line = await Line.to(clinic.port);
  const context = await chrome.newContext({ viewport: { width: 1024, height: 768 } });
  await context.addCookies([{ ...nurse.cookie, url: line.at }]);
  page = await context.newPage();
  await page.goto(`${line.at}/chair/1`);
  await isLive();
});
after(async () => {
  line?.close();
  await chrome?.close();
  await clinic?.close();
});

const isLive = () => until(async () => (await page.locator('#connection-state').innerText()) === 'Live', 'live');
const dead = () => page.locator('.dead.is-shown, .dead:visible').first();
const toast = () => page.locator('#toast').innerText();
const distress = (score) => page.locator(`form.taps button[name=distress][value="${score}"]`);
/** How often the visit's entries have the words. */
const charted = async (words) => {
  const entries = /<ol data-events[^>]*>[\s\S]*?<\/ol>/.exec(await nurse.text('/chair/1'))[0];
  return entries.split(`<span>${words}`).length - 1;
};

test('without a line the page says NOT MONITORED, and an entry is not called recorded', async () => {
  line.cut();
  await dead().waitFor({ timeout: 10_000 });
  await distress(7).evaluate((button) => button.click());
  await until(async () => /NOT KNOWN|NOT recorded/.test(await toast().catch(() => '')), 'the words');
  assert.equal(await charted('Distress 7'), 0);
  line.mend();
  await isLive();
  await distress(7).click();
  await until(async () => /Recorded/.test(await toast()), 'recorded');
  assert.equal(await charted('Distress 7'), 1);
});

test('an entry whose answer was lost is called not known, and sent again it is recorded once', async () => {
  line.swallowsAnswers = true;
  await distress(8).evaluate((button) => button.click());
  await until(async () => (await charted('Distress 8')) === 1, 'it arrived');
  line.cut();
  await until(async () => /NOT KNOWN whether it was recorded/.test(await toast()), 'the words');
  line.mend();
  await isLive();
  await distress(8).click();
  await until(async () => /Recorded/.test(await toast()), 'recorded');
  assert.equal(await charted('Distress 8'), 1);
});

test('another value after a lost answer is not taken for its retry', async () => {
  line.swallowsAnswers = true;
  await distress(5).evaluate((button) => button.click());
  await until(async () => (await charted('Distress 5')) === 1, 'it arrived');
  line.cut();
  await until(async () => /NOT KNOWN/.test(await toast()), 'the words');
  line.mend();
  await isLive();
  await distress(6).click();
  await until(async () => /sent before/.test(await page.locator('body').innerText()), 'the refusal says so');
  assert.equal(await charted('Distress 6'), 0);
  // Refused for certain, so the next tap is an act of its own.
  await page.locator('#sheet [data-close]').click();
  await distress(6).click();
  await until(async () => (await charted('Distress 6')) === 1, 'the new value');
  assert.equal(await charted('Distress 5'), 1);
});

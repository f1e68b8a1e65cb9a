// Somebody asks for help on a phone, without scripts; the clinic reads it on a desk and on a tablet, and answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, browser, until } from './clinic.mjs';
import { fill, send, signIn, text } from './hands.mjs';

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, javaScriptEnabled: false };
const TABLET = { viewport: { width: 1180, height: 820 } };
const NAME = 'Ана Рівера 王小明 '.repeat(11).trim();
let chrome, clinic;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

async function phone(path) {
  const page = await (await chrome.newContext(PHONE)).newPage();
  await page.goto(clinic.at + path);
  return page;
}

/** No fault of axe, nothing wider than the screen. `page` is looked at with scripts, or axe could not run. */
async function looksWell(at, options, cookies = []) {
  const found = [];
  for (const theme of ['light', 'dark', 'dim']) {
    const context = await chrome.newContext({ ...options, javaScriptEnabled: true });
    await context.addCookies([...cookies, { name: 'theme', value: theme, url: clinic.at }]);
    const page = await context.newPage();
    for (const path of at) {
      await page.goto(clinic.at + path);
      assert.equal(await page.locator('html').getAttribute('data-theme'), theme, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${theme} ${path}: ${wide} px wider than the screen`);
      const { violations } = await new AxeBuilder({ page }).analyze();
      for (const one of violations) found.push(`${theme} ${path}: ${one.id} (${one.impact}) ${one.nodes[0].target} ${one.nodes[0].failureSummary ?? ''}`);
    }
    await context.close();
  }
  assert.deepEqual(found, []);
}

const local = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16);

test('a call for help on a phone is met with numbers and the truth, and is taken and ended by name', async () => {
  const help = await phone('/inquiry');
  assert.match(await help.getByRole('link', { name: 'Call 988' }).getAttribute('href'), /^tel:988$/);
  await fill(help, 'ask', { crisis: 'danger', name: NAME, phone: '+1 555 0100' });
  assert.match(await text(help, 'h1 + section'), /Please call now/);
  assert.match(await text(help, 'main'), /Nobody is on call here now/);
  const id = new URL(help.url()).pathname.split('/').at(-1);

  const owner = await signIn(chrome, clinic, 'owner');
  await owner.getByRole('link', { name: '1 task' }).click();
  assert.match(await text(owner, '.task'), /A clinician is needed/);
  await owner.getByRole('link', { name: 'put somebody on call' }).click();
  await fill(owner, 'duty', { staff: 'kim', call: 'first', from: local(-1), to: local(8) });
  assert.match(await text(owner, 'table'), /Kim Tran[\s\S]*on call now/);

  await until(async () => {
    await help.getByRole('link', { name: 'Look again' }).click();
    return /on the screen of Kim Tran \(nurse\)/.test(await text(help, 'main'));
  }, 'the clock passed it on to whoever came on call');

  const nurse = await signIn(chrome, clinic, 'kim', TABLET);
  await nurse.goto(`${clinic.at}/tasks`);
  await send(nurse, nurse.getByRole('button', { name: 'I take this task' }), 'take');
  await nurse.getByRole('link', { name: 'Who it is about' }).click();
  assert.match(await text(nurse, 'main'), /in danger now/);
  assert.equal(await text(nurse, 'h1'), NAME);
  await looksWell(['/tasks', '/inquiries', `/inquiries/${id}`], TABLET, await nurse.context().cookies());
  await nurse.goto(`${clinic.at}/tasks`);
  await fill(nurse, `finish-${id}`, { outcome: 'seen_to', words: 'Spoke with her; her sister is there.' });
  assert.match(await text(nurse, 'main'), /No task is open/);
  await help.reload();
  assert.match(await text(help, 'main'), /Kim Tran saw to your message/);
  await looksWell(['/roster', '/tasks'], {}, await owner.context().cookies());
  await looksWell(['/inquiry', `/inquiry/${id}`], PHONE);
});

test('the front desk finds an inquiry, books the consultation and registers the person', async () => {
  const ask = await phone('/inquiry');
  const said = {
    crisis: 'no', name: 'Sam Hollis', phone: '+1 555 0177', conditions: ['depression', 'ptsd'], goals: 'sleep', exclusions: 'none',
  };
  await assert.rejects(fill(ask, 'ask', { ...said, name: 'x'.repeat(300) }), /300 characters; at most 200/);
  assert.equal(await ask.locator('[name=goals]').inputValue(), 'sleep', 'what was typed stays');
  await fill(ask, 'ask', { name: said.name });
  assert.match(await text(ask, 'main'), /The front desk reads it/);

  const desk = await signIn(chrome, clinic, 'robin');
  await desk.getByRole('link', { name: 'Inquiries' }).click();
  await desk.getByLabel('Name, phone or e-mail').fill('hollis');
  await desk.getByRole('button', { name: 'Search' }).click();
  await desk.getByRole('link', { name: 'Sam Hollis' }).click();
  await fill(desk, 'triage', { to: 'consultation', reason: 'Spoke by phone, Tuesday 10:00.' });
  const person = { family: 'Hollis', given: 'Sam', born: '1979-05-02', mrn: '104901', sex: 'm', allergies: 'not_asked' };
  await looksWell([new URL(desk.url()).pathname], {}, await desk.context().cookies());
  await fill(desk, 'register', person);
  await desk.getByRole('link', { name: 'Patient page' }).click();
  assert.match(await text(desk, 'h1'), /HOLLIS, Sam/);
});

test('a task that comes while a page is open stands in its header', async () => {
  const page = await signIn(chrome, clinic, 'osei', TABLET);
  await page.goto(`${clinic.at}/account`);
  const help = await phone('/inquiry');
  await fill(help, 'ask', { crisis: 'thoughts' });
  assert.match(await text(help, 'main'), /nobody from here can reach you/);
  await page.getByRole('link', { name: '1 task' }).waitFor({ timeout: 40_000 });
});

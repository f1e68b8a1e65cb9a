// The page of a patient: a nurse gives the link on a tablet, the patient opens it on a phone, without scripts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder, Clinic, browser } from './clinic.mjs';
import { fill, send, signIn } from './hands.mjs';

const TABLET = { viewport: { width: 1024, height: 768 }, javaScriptEnabled: false };
const PHONE = { viewport: { width: 390, height: 844 }, javaScriptEnabled: false };
const PERSON = { family: 'Rivera', given: 'Ana', born: '1984-03-12', mrn: '004217', sex: 'f', allergies: 'none' };
let chrome, clinic, nurse, giving, link;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  nurse = await signIn(chrome, clinic, 'kim', TABLET);
  await nurse.goto(`${clinic.at}/patients`);
  await fill(nurse, 'register', PERSON);
  const patient = nurse.url();
  await nurse.goto(`${patient}/care`);
  await fill(nurse, 'goal', { words: 'Walk the dog every day' });
  await nurse.goto(`${patient}/scores/enter?scale=gad7`);
  await fill(nurse, 'enter', Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [`item-${n}`, '2'])));
  await nurse.goto(`${patient}/scores/enter?scale=gad7`);
  await fill(nurse, 'enter', Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [`item-${n}`, '1'])));
  await nurse.goto(`${patient}/scores/enter?scale=whodas12&total=1`);
  await fill(nurse, 'enter', { total: '20', form: 'paper, filled in today' });
  await nurse.goto(patient);
  await nurse.getByRole('link', { name: 'The patient\'s own page' }).click();
  giving = nurse.url();
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

async function opened(context) {
  const page = await context.newPage();
  await page.goto(link);
  await fill(page, 'open', { born: '1984-03-12' });
  return page;
}

test('a link from staff and the day of birth open the page on a phone', async () => {
  await send(nurse, nurse.getByRole('button', { name: 'Make a new link' }));
  link = await nurse.getByLabel('The link').inputValue();
  const phone = await chrome.newContext(PHONE);
  const page = await phone.newPage();
  await page.goto(link);
  await assert.rejects(fill(page, 'open', { born: '1948-03-12' }), /try 4 more times/);
  await fill(page, 'open', { born: '1984-03-12' });
  const says = await page.locator('main').innerText();
  assert.match(says, /Hello Ana[\s\S]*No visit is booked[\s\S]*Last: 7 of 21[\s\S]*Walk the dog every day/);
  await page.goto(link);
  assert.doesNotMatch(await page.locator('main').innerText(), /Ana/, 'it asks each time');
  await phone.close();
});

test('it is axe-clean and keeps to its width for the patient and for staff, in light, dark and dim', async () => {
  const staff = await nurse.context().cookies();
  for (const [width, height] of [[390, 844], [1024, 768], [1600, 1000]]) {
    for (const theme of ['light', 'dark', 'dim']) {
      const context = await chrome.newContext({ viewport: { width, height } });
      await context.addCookies([{ name: 'theme', value: theme, url: clinic.at }]);
      const door = await context.newPage();
      await door.goto(link);
      const page = await opened(context);
      await context.addCookies(staff);
      const given = await context.newPage();
      await given.goto(giving);
      for (const [name, one] of Object.entries({ door, page, given })) {
        const wide = await one.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        const { violations } = await new AxeBuilder({ page: one }).analyze();
        assert.deepEqual(violations.map((each) => `${each.id} ${each.nodes[0].target}`), [], `${name} ${theme} ${width}`);
        assert.ok(wide <= 0, `${name} ${theme} ${width}: ${wide} px too wide`);
        if (process.env.LOOK) await one.screenshot({ path: `${process.env.LOOK}/mine-${name}-${theme}-${width}.png`, fullPage: true });
      }
      await context.close();
    }
  }
});

test('pictures fit a phone with letters that can be read, for the patient and for staff', async () => {
  const phone = await chrome.newContext({ viewport: { width: 390, height: 844 } });
  const page = await opened(phone);
  await phone.addCookies(await nurse.context().cookies());
  const staff = await phone.newPage();
  await staff.goto(giving.replace(/page$/, 'scores'));
  for (const [name, one, least] of [['patient', page, 1], ['staff', staff, 2]]) {
    const pictures = await one.locator('svg.drawing').filter({ visible: true }).evaluateAll((all) => all.map((svg) => {
      const box = svg.getBoundingClientRect();
      const letters = Math.min(...[...svg.querySelectorAll('text')].map((text) => Number(text.getAttribute('font-size'))));
      const cut = [...svg.querySelectorAll('text')].filter((text) => {
        const { left, right } = text.getBoundingClientRect();
        return left < box.left - 1 || right > box.right + 1;
      });
      return { right: box.right, letters: letters * box.width / svg.viewBox.baseVal.width, cut: cut.map((text) => text.textContent) };
    }));
    assert.ok(pictures.length >= least, `${name}: ${pictures.length} pictures`);
    for (const { right, letters, cut } of pictures) {
      assert.ok(right <= 390 && letters >= 10.5, `${name}: ends at ${right} px, letters of ${letters} px`);
      assert.deepEqual(cut, [], `${name}: cut off`);
    }
    if (process.env.LOOK) await one.screenshot({ path: `${process.env.LOOK}/pictures-${name}.png`, fullPage: true });
  }
  const slides = await page.locator('main *').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX)).map((one) => one.className));
  assert.deepEqual(slides, [], 'nothing on the page of the patient is read by sliding it');
  await phone.close();
});

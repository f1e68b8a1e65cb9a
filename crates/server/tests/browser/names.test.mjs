// A name as long as one may be, in any script and without a space, makes no page wider than the screen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clinic, browser } from './clinic.mjs';

const SCRIPTS = { latin: 'W', arabic: 'ع', han: '王', thai: 'กำ', 'several marks': 'Z\u0351\u036b\u0343', pictures: '👩' };
const NAME_MOST = 200;
let chrome, clinic, kim;

before(async () => {
  [chrome, clinic] = await Promise.all([browser(), Clinic.found()]);
  kim = await clinic.person('kim');
});
after(async () => {
  await chrome?.close();
  await clinic?.close();
});

const called = (one, length) => [...one.repeat(length)].slice(0, length).join('');
const person = (family, mrn) => ({ family, given: 'Ana', born: '1984-03-12', mrn, sex: 'f', allergies: 'none' });

test('a name that is too long is refused in words, and the longest one fits on every page', async () => {
  const paths = ['/patients', '/calendar?view=people'];
  for (const [script, one] of Object.entries(SCRIPTS)) {
    await assert.rejects(kim.post('/patients', person(called(one, 300), script)), /The family name has 300 characters; at most 200 are accepted/);
    const path = await kim.post('/patients', person(called(one, NAME_MOST), script));
    paths.push(path, ...['consent', 'details', 'scores', 'care', 'consultation', 'course', 'booking', 'estimate'].map((page) => `${path}/${page}`));
  }
  for (const width of [320, 1180]) {
    const page = await kim.page(chrome, { viewport: { width, height: 820 }, javaScriptEnabled: false });
    for (const path of paths) {
      await page.goto(clinic.at + path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${width} px, ${path}: ${wide} px too wide`);
    }
    await page.context().close();
  }
});

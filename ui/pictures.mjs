// Takes the pictures of the README from a running demonstration: node pictures.mjs ADDRESS FOLDER
// Start one first: cargo xtask demo --speed 5. The environment names the browser: CHAIRSIDE_CHROMIUM.

import { chromium } from 'playwright-core';
import { mkdir } from 'node:fs/promises';
import { shrink } from './palette.mjs';

const [, , address = 'http://127.0.0.1:7070', folder = '../docs/pictures'] = process.argv;
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath: process.env.CHAIRSIDE_CHROMIUM ?? '/usr/bin/chromium', args: flags });
await mkdir(folder, { recursive: true });

/** Signs in a page of this size and theme. */
async function open(user, theme, viewport) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.goto(`${address}/sign-in`);
  await page.click(`[name=theme][value=${theme}]`);
  await page.waitForLoadState();
  await page.fill('[name=user]', user);
  await page.fill('[name=password]', 'try the clinic');
  await page.click('main button[type=submit]');
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  return page;
}

async function shoot(page, path, name) {
  await page.goto(address + path);
  await page.waitForTimeout(4000);
  await page.screenshot({ path: `${folder}/${name}.png` });
  shrink(`${folder}/${name}.png`);
  console.log(name);
}

const tablet = { width: 1280, height: 880 };
const desktop = { width: 1600, height: 900 };
const wall = await open('kim', 'dark', desktop);
await shoot(wall, '/board', 'board');
const chair = await open('lee', 'dim', tablet);
await shoot(chair, '/chair/2', 'chair');
const byHand = await open('kim', 'light', tablet);
await shoot(byHand, '/chair/5', 'chair-by-hand');
const recovery = await open('lee', 'light', { width: 1024, height: 768 });
for (let chair = 1; chair <= 5; chair += 1) {
  await recovery.goto(`${address}/chair/${chair}`);
  const leaves = recovery.locator('a[href$="/discharge"]').first();
  if (!(await leaves.count())) continue;
  await shoot(recovery, await leaves.getAttribute('href'), 'discharge');
  break;
}
const desk = await open('osei', 'light', desktop);
await desk.goto(`${address}/records`);
const record = await desk.getAttribute('main table a', 'href');
await shoot(desk, record, 'record');
await desk.goto(`${address}/board`);
const visits = await desk.$$eval('a[href^="/visit/"]', (links) => links.map((link) => link.getAttribute('href')));
await desk.goto(`${address}/patients`);
const people = await desk.$$eval('main a[href^="/patients/"]', (links) => links.map((link) => link.getAttribute('href')));
for (const person of people) {
  await desk.goto(address + person);
  visits.push(...(await desk.$$eval('a[href^="/visit/"]', (links) => links.map((link) => link.getAttribute('href')))));
}
const planned = visits.find((path) => /^\/visit\/[^/]+$/.test(path));
if (planned) {
  await shoot(desk, planned, 'checklist');
  await shoot(desk, `${planned}/order`, 'order');
}
await browser.close();

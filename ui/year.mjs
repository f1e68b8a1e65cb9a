// Takes a picture of each screen of one patient's year, at the size its role uses, from a demonstration of its own:
// CHAIRSIDE_BIN=../target/debug/chairside node year.mjs FOLDER. Ana Marin comes new, by forms; who has a year behind
// them is one of the made-up patients. The day of an infusion is in pictures.mjs.

import { chromium } from 'playwright-core';
import { mkdir } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { DRAW, Demonstration, GATES, ORDER, READ, VIAL, WEIGHT, consentLink, id, signOnPhone } from '../crates/server/tests/browser/clinic.mjs';
import { fill } from '../crates/server/tests/browser/hands.mjs';
import { shrink } from './palette.mjs';

const [, , folder = '../docs/pictures/year'] = process.argv;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const TABLET = { viewport: { width: 1024, height: 768 } };
const DESKTOP = { viewport: { width: 1600, height: 1000 } };
const ANA = { family: 'Marin', given: 'Ana', born: '1984-03-12', mrn: '300142', sex: 'f', allergies: 'known', which: 'penicillin' };
const demo = await Demonstration.open(200);
const address = demo.at;
const browser = await chromium.launch({ executablePath: process.env.CHAIRSIDE_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
await mkdir(folder, { recursive: true });
const [kim, osei, robin, thea, morgan] = await Promise.all(['kim', 'osei', 'robin', 'thea', 'morgan'].map((user) => demo.person(user)));
const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const local = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16);

/** A page of somebody who signs in for it, or of a phone outside. */
async function open(size, user) {
  const context = await browser.newContext(size);
  await context.addCookies([...(user ? [(await demo.person(user)).cookie] : []), { name: 'theme', value: 'light', url: address }]);
  return context.newPage();
}

/** Takes the picture: of the top of the page, or of what begins at `from`. */
async function shoot(page, name, path, from) {
  if (path) await page.goto(new URL(path, address).href);
  await page.waitForTimeout(700);
  if (from) {
    await page.locator(from).first().evaluate((node) => scrollTo(0, node.getBoundingClientRect().top + scrollY - 90));
    await page.waitForTimeout(200);
  } else await page.evaluate(() => scrollTo(0, 0));
  const file = `${folder}/${name}.png`;
  await page.screenshot({ path: file });
  shrink(file);
  console.log(name);
}

/** The first path on a page that fits. */
async function found(person, path, pattern) {
  const [first] = pattern.exec(await person.text(path)) ?? [];
  if (!first) throw new Error(`${path} has no ${pattern}`);
  return first.replaceAll('&amp;', '&');
}

const desk = await open(DESKTOP, 'robin');
const prescriber = await open(DESKTOP, 'osei');
const nurse = await open(TABLET, 'kim');
const therapist = await open(DESKTOP, 'thea');
const phone = () => open(PHONE);

/** Asks, on a phone; the front desk reads it. */
async function inquiry() {
  const page = await phone();
  await shoot(page, '01-inquiry', '/inquiry');
  const said = { crisis: 'no', name: 'Ana Marin', phone: '+1 555 0142', conditions: ['depression'], goals: 'Work again, and sing.', treatments: 'Two medicines, psychotherapy.', exclusions: 'none' };
  await fill(page, 'ask', said);
  await shoot(page, '02-inquiry-received');
  await shoot(desk, '03-inquiries', '/inquiries');
  const asked = `/inquiries/${new URL(page.url()).pathname.split('/').at(-1)}`;
  await shoot(desk, '04-triage', asked);
  await robin.post(`${asked}/triage`, { to: 'consultation', reason: 'Asks for a consultation, nothing speaks against it.' });
  await robin.post(`${asked}/register`, ANA);
  return found(robin, asked, /\/patients\/[\w-]+/);
}

/** Somebody against whom nothing speaks, as a document of the screening, with days counted from today. */
function answers(changed = {}) {
  const written = JSON.parse(readFileSync(new URL('../crates/clinic/tests/screening/clean.json', import.meta.url), 'utf8'));
  const moved = (date) => day(Math.round((Date.parse(date) - Date.parse(written.on)) / 86_400_000));
  const now = JSON.parse(JSON.stringify(written), (_, value) =>
    typeof value !== 'string' ? value : value.replace(/^\d{4}-\d\d-\d\d/, moved).replace(/T09:(\d\d)$/, 'T00:$1'));
  const flat = (value, name = '') => {
    if (Array.isArray(value)) return value.flatMap((one, n) => flat(one, `${name}[${n}]`));
    if (value && typeof value === 'object') return Object.entries(value).flatMap(([key, one]) => flat(one, name ? `${name}.${key}` : key));
    return [[name, value === 'negative' ? 'no' : String(value)]];
  };
  return { ...Object.fromEntries(flat(now)), 'workup.ecg': day(-2), rows: '4', ...changed };
}

const SECTIONS = ['plan', 'diagnoses', 'trials', 'medicines', 'history', 'vitals', 'work-up', 'scales'];
async function consult(patient, sections, changed) {
  for (const section of sections) {
    const words = await kim.text(`${patient}/consultation/${section}`);
    const [, read = '0'] = /name="read" value="(\d+)"/.exec(words) ?? [];
    const none = section === 'medicines' ? { none: 'yes' } : {};
    await kim.post(`${patient}/consultation/${section}`, { ...answers(changed), ...none, read });
  }
}

/** Consultation, verdict, plan, calendar. */
async function planned(patient) {
  await consult(patient, SECTIONS.slice(0, 5));
  await shoot(prescriber, '05-consultation', `${patient}/consultation`);
  await consult(patient, SECTIONS.slice(5), { 'vitals.pressures[0].systolic': '146', 'vitals.pressures[1].systolic': '144' });
  await shoot(prescriber, '06-consultation-section', `${patient}/consultation/trials`);
  await kim.post(`${patient}/screening`, { profile: 'default' });
  await shoot(prescriber, '07-screening', `${patient}/consultation`);
  const [, screened] = /name="screened" value="(\d+)"/.exec(await osei.text(`${patient}/consultation`));
  await osei.post(`${patient}/screening/decision`, { screened, reason: 'Measured at home below 135/85 for a week; tablets on the day', user: 'osei', pin: demo.pins.osei });
  await shoot(prescriber, '08-course', `${patient}/course?regimen=mdd_trd_std`);
  await sign(patient);
  for (const [, check] of (await osei.text(`${patient}/course`)).split('name="check"')[1].split('</select>')[0].matchAll(/value="([^"]+)"/g)) {
    await kim.post(`${patient}/course/check`, { check, on: day(0), result: 'normal', judged: 'within_limits' });
  }
  await shoot(prescriber, '09-plan', `${patient}/course`);
}

function sign(patient) {
  return osei.post(`${patient}/course`, {
    regimen: 'mdd_trd_std', read: '0', conditions: 'F33.2', infusions: '6', a_week: '2', dose: '0.5 mg/kg', minutes: '40', dose_weight: '',
    titration: 'By 0.1 mg/kg when two infusions did little', stop_rules: 'Less than 20 % better after infusion 4', premedication: '', reason: '',
    user: 'osei', pin: demo.pins.osei,
  });
}

async function booked(patient) {
  const asked = new URLSearchParams({ start: day(3), at: '09:30', talks: 'yes' });
  await shoot(desk, '10-booking', `${patient}/booking?${asked}`);
  await fill(desk, 'book', { chair: '2', nurse: 'kim', prescriber: 'osei', therapist: 'thea' });
  const [, first] = /(\d{4}-\d\d-\d\d) \d\d:\d\d to/.exec(await robin.text(`${patient}/booking`));
  await shoot(desk, '11-calendar', `/calendar?day=${first}&view=week`);
}

async function consented(patient) {
  const link = await consentLink(kim, patient);
  const page = await phone();
  await shoot(page, '12-consent', `${link}/1`);
  await shoot(page, '13-consent-questions', undefined, 'form#ask');
  await signOnPhone(demo, link, 'Ana Marin');
  await shoot(nurse, '14-consents', `${patient}/consent`);
}

/** The visit from the door to the pump, at a chair without devices. */
async function visited(patient) {
  const chair = '8';
  for (const [, device, kind] of (await kim.text(`/chair/${chair}/devices`)).matchAll(/name="device" value="([^"]+)">[\s\S]*?name="kind" value="([^"]+)"/g)) {
    await kim.post(`/chair/${chair}/devices`, { act: 'take', device, kind });
  }
  const visit = await kim.post(`${patient}/visit`, { regimen: 'mdd_trd_std', infusion: '1', of: '6' });
  const send = (to, fields) => kim.post(`${visit}/${to}`, { session: id(visit), ...fields });
  await send('check-in', { chair });
  await send('weight', { ...WEIGHT, sex: ANA.sex });
  const gates = Object.entries(GATES);
  for (const [gate, fields] of gates.slice(0, 5)) await send(`gate/${gate}`, fields);
  await shoot(nurse, '15-visit', visit);
  for (const [gate, fields] of gates.slice(5)) await send(`gate/${gate}`, fields);
  await send('observe', { what: 'distress', value: '2' });
  await send('observe', { what: 'moaas', value: '5' });
  await shoot(prescriber, '16-order', `${visit}/order?concentration=2&stock=50`);
  await send('order', { ...ORDER, shown_dose: '41 mg', shown_rate: '30.8 mL/h', user: 'osei', pin: demo.pins.osei });
  await shoot(nurse, '17-preparation', `${visit}/preparation`);
  await send('vial', VIAL);
  const [, vial] = /name="vial"[\s\S]*?<option value="([^"]+)"/.exec(await kim.text(`${visit}/preparation`));
  await send('draw', { vial, ...DRAW });
  await shoot(await open(TABLET, 'lee'), '18-second-check', `${visit}/second-check`);
  await send('second-check', { ...READ, identifier: ANA.mrn, user: 'lee', pin: demo.pins.lee });
}

/** One of the made-up patients who responded, fell ill again and has had boosters: of several, whose last is the latest. */
async function withYear() {
  const paths = new Set();
  for (const letter of 'aeio') for (const [path] of (await osei.text(`/patients?q=${letter}`)).matchAll(/\/patients\/[0-9a-f-]{36}/g)) paths.add(path);
  let best;
  for (const path of paths) {
    const words = await osei.text(`${path}/scores`);
    const infusions = Number(/(\d+) infusions, /.exec(words)?.[1] ?? 0);
    const missed = /(\d+) due and not answered/.exec(words)?.[1] ?? '0';
    if (infusions <= 6 || infusions > 15 || missed === '0' || !/Response: yes/.test(words)) continue;
    const [, last] = /<th scope="row">(\d\d-\w+-\d{4})/.exec(await osei.text(`${path}/watch`));
    if (Date.parse(last) > (best?.last ?? 0)) best = { path, last: Date.parse(last) };
  }
  if (!best) throw new Error('nobody has a year behind them');
  return best.path;
}

async function lived(patient) {
  await kim.post(`${patient}/scores/link`, { scale: 'phq9' });
  const answer = await found(kim, `${patient}/scores`, /\/answer\/[\w.-]{40,}/);
  await shoot(await phone(), '19-scale', answer);
  await kim.post(`${patient}/care/medicine`, { name: 'Sertraline', dose: '100 mg in the morning', change: 'takes', decided_by: 'physician', physician: 'Dr Sample' });
  await thea.post(`${patient}/care/note`, { kind: 'integration', text: 'Spoke about work, and what it would be like to sing again.', readers: 'team' });
  await shoot(prescriber, '20-scores', `${patient}/scores`, '.score-card');
  await shoot(prescriber, '21-outcomes', '/outcomes');
  await shoot(therapist, '22-care-plan', `${patient}/care`);
  await osei.post(`${patient}/page`, {});
  const page = await phone();
  await page.goto(new URL(await found(osei, `${patient}/page`, /\/mine\/[\w.-]{40,}/), address).href);
  const [, born] = /name="born"[^>]*value="([^"]+)"/.exec(await kim.text(`${patient}/details`));
  await fill(page, 'open', { born });
  await shoot(page, '23-patients-page');
}

async function advised(patient) {
  await consult(patient, SECTIONS);
  await kim.post(`${patient}/screening`, { profile: 'default' });
  await sign(patient);
  await osei.post(`${patient}/course/maintenance`, { every_d: '14', responder: 'yes', reason: 'Responded to the series', user: 'osei', pin: demo.pins.osei });
  await shoot(prescriber, '24-advice', `${patient}/course`, '#advice-title-1');
  await shoot(prescriber, '25-exposure', `${patient}/watch`);
}

async function tasks() {
  await morgan.post('/roster', { staff: 'kim', call: 'first', from: local(-1), to: local(8) });
  const page = await phone();
  await page.goto(`${address}/inquiry`);
  await fill(page, 'ask', { crisis: 'thoughts', name: 'Sam Hollis', phone: '+1 555 0177' });
  await shoot(page, '26-crisis');
  await shoot(nurse, '27-tasks', '/tasks');
}

try {
  const ana = await inquiry();
  await planned(ana);
  await booked(ana);
  await consented(ana);
  await visited(ana);
  const patient = await withYear();
  await lived(patient);
  await advised(patient);
  await tasks();
} finally {
  await browser.close();
  await demo.close();
}

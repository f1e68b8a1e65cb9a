// One whole visit in a real browser, from the door to the way home and the printed record: a nurse, a second nurse and
// a prescriber treat the patient of chair 6 of the demonstration. Its monitor and pump speak HL7 over TCP, the patient
// answers to the drug, and time runs faster where people would only wait.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Demonstration, GATES, READ, SAID, VIAL, browser, until, wait } from './clinic.mjs';
import { fill, hold, send, signIn, text, value } from './hands.mjs';

/** A debug build on a busy machine takes its time. */
const SLOW_MS = 120_000;
const INFUSION = 60;
const RECOVERY = 120;
const HOME = {
  escort: 'Sam Rivera', escort_number: '+1 555 0100', instructions: 'home-v1', tolerates_fluids: 'yes',
  no_new_suicidal_thoughts: 'yes', escort_present: 'yes', instructions_given: 'yes', clinician_signs: 'yes',
};
const SCORE = { vital_signs: '2', activity: '2', nausea_pain: '2', bleeding: '2', intake_output: '1' };
const SIGNATURES = [
  ['Order', 'I order this infusion', 'Dr. Ama Osei'],
  ['Second check', 'I checked patient, vial, syringe, dose and rate', 'Lee Baptiste, RN'],
  ['Witness of the waste', 'I saw the rest measured and wasted', 'Lee Baptiste, RN'],
  ['Discharge', 'The patient is fit to go home', 'Kim Tran, RN'],
];

let chrome, demo, nurse, visit;
/** Vital signs as the nurse read them off the screen. */
const seen = [];

before(async () => {
  [chrome, demo] = await Promise.all([browser(), Demonstration.open()]);
  nurse = await signIn(chrome, demo, 'kim');
  nurse.setDefaultTimeout(SLOW_MS);
});
after(async () => {
  await chrome?.close();
  await demo?.close();
});

const signed = (user) => ({ user, pin: demo.pins[user] });
const main = (page) => text(page, 'main');
const phase = () => nurse.locator('.chair').getAttribute('data-phase');
/** A page of the visit. */
const go = (to) => nurse.goto(`${demo.at}${visit}/${to}`);
const chair = () => nurse.goto(`${demo.at}/chair/6`);
/** What the pump counted, in mL, as the page of the chair shows it. */
const counted = async () => Number(await nurse.locator('[data-ml]').first().getAttribute('value'));

/** Charts by one tap each on a page of the visit. */
async function tap(to, scores) {
  for (const [what, score] of Object.entries(scores)) {
    await go(to);
    await send(nurse, nurse.locator(`form#${what} button[value="${score}"]`), what);
  }
}

/** Check-in, weight, a first look at the patient, and every gate. */
async function arrive() {
  await nurse.getByRole('link', { name: 'Patients' }).first().click();
  await nurse.getByRole('link', { name: /RIVERA/ }).first().click();
  await fill(nurse, 'check-in', { chair: '6' });
  visit = new URL(nurse.url()).pathname;
  await fill(nurse, 'weigh', { weight: '64', unit: 'kg', height: '167', sex: 'f' });
  await tap('observe', { distress: 2, moaas: 5 });
  for (const [gate, answers] of Object.entries(GATES)) {
    await nurse.goto(demo.at + visit);
    await nurse.locator(`#card-${gate} details`).evaluate((card) => (card.open = true));
    await fill(nurse, gate, answers);
  }
}

async function order() {
  const prescriber = await signIn(chrome, demo, 'osei');
  await prescriber.goto(`${demo.at}${visit}/order`);
  const ask = prescriber.locator('.order-page form').first();
  await ask.locator('[name=concentration]').selectOption('2');
  await ask.locator('[name=stock]').selectOption('50');
  await ask.getByRole('button', { name: 'Preview' }).click();
  await prescriber.getByText('DOSE 32 mg').first().waitFor();
  await fill(prescriber, 'sign', signed('osei'));
  await prescriber.context().close();
}

/** A device that is silent for a moment holds the next step until somebody looks again. */
const offered = (key) => until(async () => (await go('preparation'), nurse.locator(`form#${key}`).count()), key, 60);

async function prepare() {
  await go('preparation');
  await fill(nurse, 'scan', VIAL);
  await fill(nurse, 'draw', { stock: '0.64', diluted_to: '16', diluent: 'sodium chloride 0.9 %' });
  await go('second-check');
  await fill(nurse, 'check', { ...READ, identifier: '104501', drawn_1: '0.64', volume: '16', dose_weight: '64', dose: '32', rate: '24', vtbi: '16', ...signed('lee') });
  await go('preparation');
  await fill(nurse, 'program', { rate: '24', vtbi: '16', concentration: '2', library_entry: 'Ketamine PSYCH 2 mg/mL' });
  await offered('time-out');
  await fill(nurse, 'time-out', { confirmed: SAID });
  await offered('start');
  await fill(nurse, 'start', { counter: '0' });
}

/** Three quarters of an hour: looked after, slowed when the patient is queasy, stopped before the syringe is empty. */
async function infuse() {
  await chair();
  demo.runs(INFUSION);
  await until(async () => (await counted()) >= 4, 'a quarter is in', 60);
  await tap('observe', { moaas: 4, distress: 3 });
  await go('rate');
  await fill(nurse, 'rate', { rate: '20', reason: 'feels it strongly' });
  await go('event/nausea_vomiting');
  await fill(nurse, 'event', { grade: '1', text: 'a little queasy' });
  await chair();
  await until(async () => (await counted()) >= 14.5, 'most is in', 120);
  demo.runs(1);
  await hold(nurse, /Stop infusion/);
  await until(async () => (await phase()) === 'recovering', 'recovering');
}

/** Measured and wasted before the second nurse, who does not see what is expected; gives what the pump counted, in mL. */
async function waste() {
  await until(async () => {
    await go('discharge');
    return /as the pump was last read/.test(await main(nurse));
  }, 'the last reading of the pump');
  await chair();
  const given = await counted();
  await go('discharge');
  await fill(nurse, 'waste', { wasted: (16 - given - 0.1).toFixed(2), residual_in_line: '0.1', left_in_vial_1: '9.5', vial_fate: 'wasted', ...signed('lee') });
  return given;
}

/** A look at the patient: what the screen shows is charted, and how the patient is. */
async function look() {
  await chair();
  const [bp, hr, spo2] = await until(async () => {
    const shown = await Promise.all(['bp', 'hr', 'spo2'].map((key) => value(nurse, key)));
    return shown.every((one) => /^\d/.test(one)) && shown;
  }, 'vital signs on the screen');
  const [sbp, dbp] = bp.split('/');
  await go('discharge');
  await fill(nurse, 'vitals', { sbp, dbp, hr, spo2 });
  seen.push(new RegExp(`${bp}\\s+${hr}\\s+${spo2}`));
  await tap('discharge', { moaas: 5, nausea: 0, as_before: 'yes' });
}

async function recover() {
  await go('event');
  await fill(nurse, 'end-1', { outcome: 'gone' });
  demo.runs(RECOVERY);
  while (/Not before/.test(await go('discharge').then(() => main(nurse)))) {
    await look();
    await wait(5_000);
  }
  demo.runs(1);
  await look();
  await fill(nurse, 'score', SCORE);
}

/** A word on each kind of thing that the form of the way home asks about. */
async function words() {
  const asked = await nurse.$$eval('form#home input', (fields) => fields.map(({ name }) => name));
  const kinds = ['missed_checks', 'unanswered_alarms', 'open_side_effects'];
  return Object.fromEntries(kinds.filter((kind) => asked.includes(kind)).map((kind) => [kind, 'looked at with the patient']));
}

test('a nurse, a second nurse and a prescriber treat one patient from the door to the way home', async () => {
  await arrive();
  await order();
  await prepare();
  await infuse();
  await go('discharge');
  assert.match(await main(nurse), /min too early/);
  const given = await waste();
  await recover();
  await assert.rejects(fill(nurse, 'home', { ...HOME, escort_present: 'no', ...signed('kim') }), /Escort is here/);
  await fill(nurse, 'home', { ...HOME, ...(await words()), ...signed('kim') });
  assert.match(await main(nurse), /The visit is over: discharged/);
  await chair();
  assert.match(await main(nurse), /Chair 6 is free/);

  await nurse.goto(`${demo.at}/records`);
  await nurse.locator('main table').getByRole('link').first().click();
  const spaced = (told) => told.replace(/[\u00a0\u202f]/g, ' ');
  const record = spaced(await main(nurse));
  holdsWhatHappened(record, given);
  gatesPassed(record);
  flowedAsSet(record);
  const file = await nurse.getByRole('link', { name: 'Open as PDF' }).getAttribute('href');
  const pdf = await (await nurse.request.get(demo.at + file, { timeout: SLOW_MS })).body();
  holdsWhatHappened(spaced(execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf }).toString()), given);

  await nurse.emulateMedia({ media: 'print' });
  assert.ok(await nurse.getByText('Every microgram').isVisible());
  assert.ok(!(await nurse.getByRole('button', { name: 'Sign out' }).isVisible()), 'paper has no buttons');
});

/** What was done, by whom, and where each microgram is. */
function holdsWhatHappened(told, given) {
  const mg = (ml) => `${Number((2 * ml).toFixed(3))} mg`;
  const happened = [
    /RIVERA, Ana/, /104501/, /64 kg/, /infusion 1 of 6/,
    /Order signed: ketamine 32 mg over 40 min, 24 mL\/h/, /Second check: patient by 104501; ketamine 50 mg\/mL, 0.64 mL drawn; .*; dose weight 64 kg; 32 mg; 24 mL\/h; 16 mL/, /lot A1/,
    /Infusion started at 24 mL\/h/, /Rate 24 mL\/h → 20 mL\/h: feels it strongly/, /Infusion stopped early/,
    /a little queasy/, /gone/, /MOAA\/S 4/, /Distress 3/,
    new RegExp(`Delivered +${mg(given)} in ${given} mL, as the pump counted`),
    new RegExp(`32 mg drawn = ${mg(given)} delivered \\+ 0.2 mg in the line \\+ ${mg(16 - given - 0.1)} wasted \\+ 0 mg explained \\+ 0 mg in no account`),
    /Left in the opened vials 468 mg measured, 9.5 mL in the vial; wasted before the witness/, /Measured beyond the label 7 mg overfill/,
    /Discharge score 9/, /with Sam Rivera, \+1 555 0100/, /home-v1/,
    ...seen,
    ...SIGNATURES.map(([what, meaning, who]) => new RegExp(`${what} \\(entry[^“]*“${meaning}[^“]*${who}`)),
  ];
  const words = told.replace(/\s+/g, ' ');
  for (const one of happened) assert.ok(one.test(words), `the record lacks ${one}`);
}

/** Each gate with who answered it and when. */
function gatesPassed(record) {
  for (const gate of Object.keys(GATES)) {
    const row = new RegExp(`^${gate.toUpperCase()} [^\\t]+\\t(Passes[^\\t]*|[^\\t]*passes now)\\t[^\\t]+\\tKim Tran, RN \\(kim\\)\\t(\\S+ )?\\d\\d:\\d\\d$`, 'm');
    assert.ok(row.test(record), `the record lacks ${gate}`);
  }
}

/** The pump counts by itself; what it counted is rate by time as the record tells them, with a date after midnight. */
function flowedAsSet(record) {
  const flowed = [...record.matchAll(/(\S+)\t(?:\S+ )?(\S+)\t([\d.]+) mL\/h\t([\d.]+) mL\t[\d.]+ mg\t/g)];
  assert.deepEqual(flowed.map(([, , , rate]) => rate), ['24', '20']);
  const at = (time) => new Date(`2000-01-01T${time}Z`) / 3_600_000;
  for (const [, from, to, rate, volume] of flowed) {
    const set = ((at(to) - at(from) + 24) % 24) * rate;
    assert.ok(Math.abs(set - volume) < 0.05 * set, `${volume} mL between ${from} and ${to} at ${rate} mL/h`);
  }
}

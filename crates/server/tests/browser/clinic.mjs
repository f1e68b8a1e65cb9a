// What the tests share: the real program with a log of its own, people who sign in and send forms, devices on the
// device port, and the browser.
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const packages = createRequire(new URL('../../../../ui/package.json', import.meta.url));
const { chromium } = packages('playwright-core');
export const { AxeBuilder } = packages('@axe-core/playwright');

const PROGRAM = process.env.CHAIRSIDE_BIN;
export const PASSWORD = 'quiet morning at the river';
export const PIN = '270415';
export const STAFF = [
  { user: 'kim', name: 'Kim Tran', role: 'nurse' },
  { user: 'lee', name: 'Lee Baptiste', role: 'nurse' },
  { user: 'osei', name: 'Ama Osei', role: 'prescriber' },
  { user: 'robin', name: 'Robin Falk', role: 'front_desk' },
  { user: 'thea', name: 'Thea Winter', role: 'therapist' },
];

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Looks again until it is so; what takes longer never comes. */
export async function until(so, what, seconds = 20, every = 25) {
  for (const begun = Date.now(); Date.now() - begun < seconds * 1000; await wait(every)) {
    const found = await so();
    if (found) return found;
  }
  throw new Error(`never: ${what}`);
}

export function browser() {
  const executablePath = process.env.CHAIRSIDE_CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** A clinic on a folder of its own, with its staff. */
export class Clinic {
  /** @param place where the log lies; memory where nothing else is said, for short tests. */
  static async found({ chairs = 4, place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir() } = {}) {
    const clinic = new Clinic();
    clinic.data = mkdtempSync(join(place, 'chairside-browser-'));
    clinic.config = join(clinic.data, 'chairside.toml');
    writeFileSync(clinic.config, `chairs = ${chairs}\nreserve_mib = 0\n`);
    clinic.#run(['init', '--user', 'owner', '--name', 'Morgan Hale']);
    for (const { user, name, role } of STAFF) clinic.#run(['staff', 'add', '--user', user, '--name', name, '--role', role]);
    [clinic.port, clinic.devicePort] = [await freePort(), await freePort()];
    clinic.at = `http://127.0.0.1:${clinic.port}`;
    await clinic.start();
    return clinic;
  }

  #run(args) {
    execFileSync(PROGRAM, [...args, '--config', this.config, '--data', this.data], { input: `${PASSWORD}\n${PIN}\n` });
  }

  async start() {
    const listen = ['--listen', `127.0.0.1:${this.port}`, '--devices', `127.0.0.1:${this.devicePort}`];
    const args = ['serve', '--unwatched', '--config', this.config, '--data', this.data, ...listen];
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'ignore', process.env.CHAIRSIDE_LOG ? 'inherit' : 'ignore'] });
    this.child = child;
    child.gone = new Promise((done) => child.once('exit', done));
    await until(() => fetch(`${this.at}/healthz`).then((answer) => answer.ok, () => false), 'the server answers', 60);
  }

  /** SIGKILL: no goodbye. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.child.gone;
  }

  /** SIGSTOP and SIGCONT: the program hangs, its sockets stay open. */
  hang(hangs) {
    this.child.kill(hangs ? 'SIGSTOP' : 'SIGCONT');
  }

  async close() {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  async person(user) {
    const person = new Person(this);
    await person.signIn(user);
    return person;
  }

  device(kind, number) {
    return new Device(this, kind, number);
  }
}

/** The demonstration as a visitor has it who wants no company: made-up devices on the device port, and time at will. */
export class Demonstration {
  password = 'try the clinic';
  pins = { kim: '271828', lee: '314159', osei: '161803' };

  /** With a year of so many patients behind it. */
  static async open(history = 0) {
    const demo = new Demonstration();
    demo.at = `http://127.0.0.1:${await freePort()}`;
    const args = ['demo', '--alone', '--history', String(history), '--port', new URL(demo.at).port];
    demo.child = spawn(PROGRAM, args, { stdio: ['pipe', 'ignore', process.env.CHAIRSIDE_LOG ? 'inherit' : 'ignore'] });
    demo.child.gone = new Promise((done) => demo.child.once('exit', done));
    await until(() => fetch(`${demo.at}/healthz`).then((answer) => answer.ok, () => false), 'the demonstration answers', 60);
    return demo;
  }

  async person(user) {
    const person = new Person(this);
    await person.signIn(user);
    return person;
  }

  /** From now on time runs so many times as fast. */
  runs(times) {
    this.child.stdin.write(`${times}\n`);
  }

  async close() {
    this.child.kill('SIGTERM');
    await this.child.gone;
  }
}

/** Somebody who sends forms as a browser without scripts does. */
export class Person {
  #cookie = '';
  #csrf = '';

  constructor(clinic) {
    this.clinic = clinic;
  }

  async signIn(user) {
    this.user = user;
    const answer = await this.#send('/sign-in', { user, password: this.clinic.password ?? PASSWORD, next: '/account' });
    if (answer.status !== 303) throw new Error(`${user} cannot sign in: ${answer.status}`);
    this.#cookie = answer.headers.get('set-cookie').split(';')[0];
    this.#csrf = /name="csrf" content="([^"]+)"/.exec(await this.text('/account'))[1];
  }

  get cookie() {
    const [name, value] = this.#cookie.split('=');
    return { name, value, url: this.clinic.at };
  }

  async text(path) {
    const answer = await fetch(this.clinic.at + path, { headers: { cookie: this.#cookie }, redirect: 'manual' });
    return answer.text();
  }

  #send(path, fields, commandId = randomUUID()) {
    const body = new URLSearchParams({ csrf: this.#csrf, command_id: commandId });
    for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) body.append(name, value);
    const headers = { cookie: this.#cookie, origin: this.clinic.at, 'sec-fetch-site': 'same-origin' };
    return fetch(this.clinic.at + path, { method: 'POST', redirect: 'manual', headers, body });
  }

  /** Where the answer leads to; anything but a redirect is an error with the page's reasons. */
  async post(path, fields, commandId) {
    const answer = await this.#send(path, fields, commandId);
    if (answer.status === 303) return answer.headers.get('location');
    const page = await answer.text();
    const said = /error-summary-title[\s\S]*?<\/ul>/.exec(page)?.[0].replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ') ?? page.slice(0, 400);
    throw new Error(`${path} was answered ${answer.status}: ${said}`);
  }

  /** Acknowledges every alarm that nobody has seen. */
  async acknowledge() {
    for (const [, alarm] of (await this.text('/board')).matchAll(/name="alarm" value="([^"]+)"/g)) {
      await this.#send('/alarms/acknowledge', { alarm });
    }
  }

  async status(path, fields, commandId) {
    return (await this.#send(path, fields, commandId)).status;
  }

  /** A page in the browser where this person is signed in. */
  async page(chrome, options = {}) {
    const context = await chrome.newContext({ viewport: { width: 1280, height: 880 }, ...options });
    await context.addCookies([this.cookie]);
    return context.newPage();
  }
}

const yes = (...facts) => Object.fromEntries(facts.map((fact) => [fact, 'yes']));
const no = (...facts) => Object.fromEntries(facts.map((fact) => [fact, 'no']));

/** A person of 82 kg who may be treated. */
export const PATIENT = { family: 'Rivera', given: 'Ana', born: '1984-03-12', sex: 'f', allergies: 'none' };
/** Of people of one name: asked, and another person. */
export const ANOTHER = { another: 'yes' };
export const PLAN = { regimen: 'mdd_trd_std', infusion: '1', of: '6' };
export const WEIGHT = { weight: '82', unit: 'kg', height: '178', sex: 'm' };
export const GATES = {
  c01: yes('name_matches', 'birth_date_matches'),
  c02: { last_infusion: 'never' },
  c03: yes('consent_said_again'),
  c04: { ...yes('escort_named', 'escort_phone', 'escort_confirmed'), escort: 'Sam Rivera', escort_number: '+1 555 0100' },
  c05: { ...no('last_meal_heavy'), hours_since_solids: '9', hours_since_clear_liquids: '3' },
  c06: { ...no('alcohol_last_24h', 'illicit_last_24h', 'cannabis_last_24h', 'bp_medicines_due'), medicines_reviewed: 'yes', takes: 'none' },
  c07: no('new_illness', 'new_medicines', 'falls', 'urinary_symptoms', 'may_be_pregnant', 'mood_switch'),
  c08: { ...no('suicide_screen_positive', 'treats_pain', 'bipolar'), ...yes('depression_scale_done', 'cssrs_done') },
  c09: no('can_be_pregnant', 'drug_screen_due'),
  c11: {
    bp_cuff_correct: 'yes', systolic_0: '124', diastolic_0: '78', systolic_1: '120', diastolic_1: '76', heart_rate: '72',
    spo2: '98', respiratory_rate: '14', temperature: '36.6', diabetic: 'no', symptoms: 'none',
  },
  c12: { iv_gauge: '22', iv_patent: 'yes', line_site: 'left forearm', line_attempts: '1', position: 'reclined' },
  c13: yes('oxygen_ready', 'suction_ready', 'bag_valve_mask_ready', 'airway_kit_ready', 'aed_ready', 'crash_drugs_in_date', 'monitor_alarms_set'),
  c14: { acls_clinician_on_site: 'yes', patients_per_nurse: '2' },
  c17: yes('oriented', 'urinated', 'phone_off', 'setting_asked'),
};
export const ORDER = { concentration: '2', stock: '50' };
const SHOWN = { shown_dose: '41 mg', shown_rate: '30.8 mL/h' };
/** (01) the product, (17) its last day, (10) its lot; the code stands for two strengths, so the label is read too. */
export const VIAL = { code: '(01)00342023113108(17)270131(10)A1', strength: '50', volume: '10' };
export const DRAW = { stock: '0.82', diluted_to: '20.5', diluent: 'sodium chloride 0.9 %' };
/** What the second person has, whose patient is the one of PATIENT. */
export const READ = {
  name_said: 'yes', identifier: '1984-03-12', drug_1: 'ketamine', strength_1: '50', drawn_1: '0.82', diluent: 'sodium chloride 0.9 %',
  volume: '20.5', dose_weight: '82', dose: '41', rate: '30.8', vtbi: '20.5',
};
export const DISPLAY = { rate: '30.8', vtbi: '20.5', concentration: '2', library_entry: 'Ketamine PSYCH 2 mg/mL' };
export const SAID = ['patient', 'allergy', 'dose', 'line', 'escort', 'emergency'];

/** What an infusion needs signed, with the right answers to what each document asks. */
const CONSENT = {
  consent_off_label: { off_label: '2', worse: '1' },
  consent_risks: { pressure: '2', bladder: '2' },
  consent_driving: { drive: '2' },
};

/** The patient signs on a phone, by a link. */
export async function agree(nurse, patient) {
  await signOnPhone(nurse.clinic, await consentLink(nurse, patient), `${PATIENT.given} ${PATIENT.family}`);
}

/** A link for the phone, with what an infusion needs signed. */
export async function consentLink(nurse, patient) {
  await nurse.post(`${patient}/consent`, { documents: Object.keys(CONSENT), band: 'raised', route: 'vein', how: 'phone' });
  return /value="[^"]*(\/consent\/[^"]+)"/.exec(await nurse.text(`${patient}/consent`))[1];
}

export async function signOnPhone(clinic, link, name) {
  const phone = new Person(clinic);
  for (const [nth, answers] of Object.values(CONSENT).entries()) await phone.post(`${link}/${nth + 1}`, { ...answers, say: 'agree' });
  await phone.post(`${link}/sign`, { name });
}

/** Registers somebody who signs, plans and checks them in; gives the path of the visit. */
export async function arrive(nurse, chair, mrn) {
  const patient = await nurse.post('/patients', { ...PATIENT, ...ANOTHER, mrn });
  await agree(nurse, patient);
  const visit = await nurse.post(`${patient}/visit`, PLAN);
  await nurse.post(`${visit}/check-in`, { session: id(visit), chair });
  return visit;
}

export const id = (visit) => visit.replace('/visit/', '');

/** Brings a visit by forms to a running infusion. */
export async function infuse(nurse, visit, second = 'lee') {
  const send = (to, fields) => nurse.post(`${visit}/${to}`, { session: id(visit), ...fields });
  const signed = (user) => ({ user, pin: nurse.clinic.pins?.[user] ?? PIN });
  await send('weight', WEIGHT);
  for (const [gate, fields] of Object.entries(GATES)) await send(`gate/${gate}`, fields);
  await send('observe', { what: 'distress', value: '2' });
  await send('observe', { what: 'moaas', value: '5' });
  await send('order', { ...ORDER, ...SHOWN, ...signed('osei') });
  await send('vial', VIAL);
  const vial = /name="vial"[\s\S]*?<option value="([^"]+)"/.exec(await nurse.text(`${visit}/preparation`))[1];
  await send('draw', { vial, ...DRAW });
  const [, identifier] = /<dt>MRN<\/dt><dd>([^<]+)</.exec(await nurse.text(visit));
  await send('second-check', { ...READ, identifier, ...signed(second) });
  await send('pump-program', DISPLAY);
  await send('time-out', { confirmed: SAID });
  await send('start', { counter: '0' });
}

const VT = '\x0b';
const END = '\x1c\r';
const stamp = (ms) => new Date(ms).toISOString().replace(/[-:TZ]/g, '').replace(/^(\d{14})\.(\d{3})/, '$1.$2') + '+0000';

/** A monitor or a pump on a line of its own: sends, waits for the answer, connects again when the line breaks. */
export class Device {
  #nth = 0;
  #timer;
  #line;
  #sending = Promise.resolve();
  values = { hr: 72, spo2: 98, rr: 14 };
  pump = { status: 'infusing', rate: '30.8', ml: 0 };
  accepted = 0;
  refused = [];

  constructor(clinic, kind, number) {
    Object.assign(this, { clinic, kind, label: `${kind === 'monitor' ? 'MON' : 'PUMP'}-${number}` });
    // 02-… is an address that nobody was given: no real device can have it.
    const n = (kind === 'monitor' ? 0x10000 : 0x20000) + number;
    this.eui = `02C4A1FFFE${n.toString(16).padStart(6, '0').toUpperCase()}`;
    this.id = `${this.label}:${this.eui}`;
  }

  #head(type, now) {
    this.control = `${this.label}-${++this.#nth}-${now}`;
    const gateway = `${this.label}^${this.eui}^EUI-64`;
    return `MSH|^~\\&|${gateway}|CLINIC|||${stamp(now)}||${type}|${this.control}|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO`;
  }

  #device(term) {
    return `OBX|1||${term}^MDC|1.0.0.0|||||||X|||||||${this.label}^^${this.eui}^EUI-64`;
  }

  #monitor(now) {
    const rows = [];
    const add = (term, path, value, unit) => rows.push(`OBX|${rows.length + 2}|NM|${term}^MDC|${path}|${value}|${unit}^MDC|||||R`);
    const { hr, spo2, rr, sbp, dbp } = this.values;
    if (hr) add('147842^MDC_ECG_HEART_RATE', '1.2.1.1', hr, '264864^MDC_DIM_BEAT_PER_MIN');
    if (rr) add('151562^MDC_RESP_RATE', '1.2.1.2', rr, '264928^MDC_DIM_RESP_PER_MIN');
    if (spo2) add('150456^MDC_PULS_OXIM_SAT_O2', '1.3.1.1', spo2, '262688^MDC_DIM_PERCENT');
    if (sbp) add('150021^MDC_PRESS_BLD_NONINV_SYS', '1.1.1.1', sbp, '266016^MDC_DIM_MMHG');
    if (dbp) add('150022^MDC_PRESS_BLD_NONINV_DIA', '1.1.1.2', dbp, '266016^MDC_DIM_MMHG');
    const order = `OBR|1|${this.control}|${this.control}|182777000^monitoring of patient^SCT|||${stamp(now)}`;
    return ['PID|||Unknown Patient', order, this.#device('69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS'), ...rows];
  }

  #pump(now) {
    const { status, rate, ml } = this.pump;
    const flow = status === 'infusing' ? rate : '0';
    const unit = '265266^MDC_DIM_MILLI_L_PER_HR^MDC^mL/h^mL/h^UCUM';
    const volume = '263762^MDC_DIM_MILLI_L^MDC^mL^mL^UCUM';
    return [
      'PID|||Unknown Patient',
      `OBR|1|0^PUMP|0^PUMP|6130^ketamine^RXNORM|||${stamp(now)}`,
      this.#device('70053^MDC_DEV_PUMP_INFUS_SYRINGE_MDS'),
      'OBX|2||70054^MDC_DEV_PUMP_INFUS_SYRINGE_VMD^MDC|1.1.0.0|||||||X',
      'OBX|3||70067^MDC_DEV_PUMP_DELIVERY_INFO^MDC|1.1.1.0|||||||X',
      `OBX|4|CWE|184519^MDC_PUMP_INFUSING_STATUS^MDC|1.1.1.1|^pump-status-${status}||||||R`,
      `OBX|5|NM|158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC|1.1.1.2|${flow}|${unit}|||||R`,
      'OBX|6||70071^MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY_CHAN^MDC|1.1.2.0|||||||X',
      'OBX|7|ST|184514^MDC_DRUG_NAME_LABEL^MDC|1.1.2.2|Ketamine||||||R',
      `OBX|8|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.2.5|${rate}|${unit}|||||R`,
      'OBX|9|NM|157760^MDC_CONC_DRUG^MDC|1.1.2.7|2|264306^MDC_DIM_MILLI_G_PER_ML^MDC^mg/mL^mg/mL^UCUM|||||R',
      `OBX|10|NM|157884^MDC_VOL_FLUID_TBI^MDC|1.1.2.8|20.5|${volume}|||||R`,
      `OBX|11|NM|157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC|1.1.2.11|${ml.toFixed(2)}|${volume}|||||R`,
    ];
  }

  /** Sends one report and gives the answer. As on a real line each report waits for the answer to the one before. */
  send() {
    return (this.#sending = this.#sending.catch(() => undefined).then(() => this.#report()));
  }

  /** An answer that is no yes to this very message is kept as refused. */
  async #report() {
    const now = Date.now();
    const head = this.#head('ORU^R01^ORU_R01', now);
    const body = this.kind === 'monitor' ? this.#monitor(now) : this.#pump(now);
    const line = await this.#open();
    const answer = await new Promise((resolve, reject) => {
      let text = '';
      const broke = () => reject(new Error('the line broke'));
      const heard = (part) => {
        text += part;
        if (!text.endsWith(END)) return;
        line.off('data', heard).off('close', broke);
        resolve(text);
      };
      line.on('data', heard).once('close', broke);
      line.write(VT + [head, ...body].join('\r') + '\r' + END);
    });
    if (answer.includes(`\rMSA|CA|${this.control}`)) this.accepted += 1;
    else this.refused.push(answer);
    return answer;
  }

  async #open() {
    if (this.#line && !this.#line.destroyed) return this.#line;
    const line = connect(this.clinic.devicePort, '127.0.0.1');
    line.setEncoding('utf8').setNoDelay(true);
    await new Promise((ready, failed) => line.once('connect', ready).once('error', failed));
    line.on('error', () => line.destroy());
    return (this.#line = line);
  }

  /** Reports once a second until it is stopped, whatever happens to the line. */
  run() {
    const once = async () => {
      await this.send().catch(() => undefined);
      if (this.#timer) this.#timer = setTimeout(once, 1000);
    };
    this.#timer = setTimeout(once, 0);
    return this;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#line?.destroy();
  }
}

/** Brings a monitor and a pump to a chair: they speak, then somebody places them. */
export async function placed(nurse, chair, number) {
  const devices = ['monitor', 'pump'].map((kind) => nurse.clinic.device(kind, number));
  for (const device of devices) {
    await device.send();
    await nurse.post(`/chair/${chair}/devices`, { act: 'place', device: device.id, kind: device.kind });
  }
  return devices;
}

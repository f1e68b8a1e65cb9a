// What a room costs: the release build under simulated monitors at 1 Hz, measured from outside. `cargo xtask bench`
// builds and starts it. Nothing here passes or fails; the figures go into docs/performance.md by hand, with the date.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { Clinic, arrive, browser, id, infuse, placed, until, wait } from '../tests/browser/clinic.mjs';

const { values: asked } = parseArgs({
  options: { chairs: { type: 'string', default: '4,12,100,500' }, seconds: { type: 'string', default: '30' } },
});
const SECONDS = Number(asked.seconds);
/** Spreads neighbours over the second, so that cards that stand together on screen do not report together. */
const GOLDEN = 0.618034;
/** How many people work at once while the room is filled. */
const HANDS = 16;

const say = (line) => console.log(line);
const share = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

function told(name, list) {
  const sorted = list.toSorted((a, b) => a - b);
  if (sorted.length === 0) return say(`  ${name}: nothing came`);
  say(`  ${name}: n ${sorted.length}, p50 ${share(sorted, 0.5).toFixed(0)} ms, p99 ${share(sorted, 0.99).toFixed(0)} ms, most ${sorted.at(-1).toFixed(0)} ms`);
}

function memory(clinic) {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${clinic.child.pid}/status`, 'utf8'))[1];
  return `${(Number(kb) / 1024).toFixed(0)} MB`;
}

async function each(list, work) {
  const rest = [...list];
  const hand = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: HANDS }, hand));
}

/** Somebody in each chair, with a monitor; at the first an infusion runs. */
async function fill(clinic, nurse, chairs) {
  const devices = [];
  const visit = await arrive(nurse, '1', '800001');
  const [monitor, pump] = await placed(nurse, '1', 1);
  await infuse(nurse, visit);
  pump.run();
  devices[0] = monitor;
  await each(Array.from({ length: chairs - 1 }, (_, n) => n + 2), async (chair) => {
    await arrive(nurse, chair, String(800_000 + chair));
    const monitor = clinic.device('monitor', chair);
    await monitor.send();
    await nurse.post(`/chair/${chair}/devices`, { act: 'place', device: monitor.id, kind: 'monitor' });
    devices[chair - 1] = monitor;
  });
  for (const monitor of devices) monitor.values = { hr: 60, spo2: 98, rr: 14, sbp: 120, dbp: 78 };
  return { devices, pump, visit };
}

/** Reads the live channel and gives each heart rate to `seen(chair, rate)` as it comes. */
async function subscribe(clinic, nurse, seen) {
  const stop = new AbortController();
  const headers = { cookie: `${nurse.cookie.name}=${nurse.cookie.value}` };
  const answer = await fetch(`${clinic.at}/live?scope=room`, { headers, signal: stop.signal });
  const read = async () => {
    let text = '';
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      const messages = text.split('\n\n');
      text = messages.pop();
      for (const message of messages) {
        if (!message.startsWith('event: s\n')) continue;
        const { chairs } = JSON.parse(message.slice(message.indexOf('\ndata: ') + 7));
        for (const { c, v } of chairs) seen(c, v.hr);
      }
    }
  };
  read().catch(() => undefined);
  return () => stop.abort();
}

/** Sends one report a second from each monitor, spread over the second. */
async function report(devices, seconds, sent) {
  const answers = [];
  let lost = 0;
  const begin = performance.now();
  await Promise.all(
    devices.map(async (device, nth) => {
      for (let second = 0; second < seconds; second += 1) {
        const due = begin + 1000 * (second + ((nth * GOLDEN) % 1));
        if (due > performance.now()) await wait(due - performance.now());
        device.values.hr = 60 + (second % 60);
        const at = Date.now();
        const from = performance.now();
        sent(String(nth + 1), device.values.hr, at);
        await device.send().then(() => answers.push(performance.now() - from), () => (lost += 1));
      }
    }),
  );
  return { answers, lost };
}

/** Seconds of processor time that the browser's processes have used, by their kind. */
async function browserTime(chrome) {
  const session = await chrome.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const of = (types) => processInfo.filter(({ type }) => types.includes(type)).reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  return { page: of(['renderer']), all: of(processInfo.map(({ type }) => type)) };
}

async function measure(title, { clinic, nurse, devices, page }) {
  const waiting = new Map();
  const seen = [];
  const stop = await subscribe(clinic, nurse, (chair, hr) => {
    const key = `${chair} ${hr}`;
    if (!waiting.has(key)) return;
    seen.push(Date.now() - waiting.get(key));
    waiting.delete(key);
  });
  const sends = new Map();
  await page?.evaluate(() => (globalThis.drawn = { written: [], painted: [] }));
  const [chrome, begun] = [page?.context().browser(), performance.now()];
  const before = chrome && (await browserTime(chrome));
  const { answers, lost } = await report(devices, SECONDS, (chair, hr, at) => {
    waiting.set(`${chair} ${hr}`, at);
    sends.set(`${chair} ${hr}`, at);
  });
  const after = chrome && (await browserTime(chrome));
  const tookS = (performance.now() - begun) / 1000;
  await wait(1500);
  stop();
  const load = loadavg()[0].toFixed(1);
  say(`${title}: ${devices.length} chairs, ${SECONDS} s, ${memory(clinic)}, load average ${load}${lost ? `, ${lost} reports lost` : ''}`);
  told('sent to acknowledged (in the log)', answers);
  told('sent to the live channel', seen);
  if (waiting.size > 0) say(`  never seen on the live channel: ${waiting.size}`);
  if (!page) return;
  const drawn = await page.evaluate(() => globalThis.drawn);
  const delays = (list) => list.map(([chair, hr, at]) => at - sends.get(`${chair} ${hr}`)).filter((delay) => delay >= 0);
  told('sent to painted, the cards on screen', delays(drawn.painted));
  told('sent to written into the page, all cards', delays(drawn.written));
  const core = (kind) => `${((100 * (after[kind] - before[kind])) / tookS).toFixed(0)} %`;
  say(`  browser: ${core('all')} of a core, of it the page ${core('page')}`);
}

/** A board that notes when each heart rate was written into the page and, of cards on screen, when it was painted. */
async function board(chrome, watcher, clinic) {
  const page = await watcher.page(chrome, { viewport: { width: 1600, height: 900 } });
  await page.addInitScript(() => {
    globalThis.drawn = { written: [], painted: [] };
    addEventListener('DOMContentLoaded', () => {
      const onScreen = new Set();
      const eye = new IntersectionObserver((entries) => {
        for (const { target, isIntersecting } of entries) onScreen[isIntersecting ? 'add' : 'delete'](target.dataset.chair);
      });
      for (const card of document.querySelectorAll('[data-chair]')) eye.observe(card);
      const watch = new MutationObserver((changes) => {
        const found = new Set();
        for (const { target } of changes) {
          const node = target.nodeType === 1 ? target : target.parentElement;
          if (node?.closest('[data-value]') && node.closest('[data-tile=hr]')) found.add(node.closest('[data-value]'));
        }
        if (found.size === 0) return;
        const rows = [...found].map((node) => [node.closest('[data-chair]').dataset.chair, node.textContent, Date.now()]);
        globalThis.drawn.written.push(...rows);
        const seen = rows.filter(([chair]) => onScreen.has(chair));
        if (seen.length === 0) return;
        // After the next frame is drawn.
        requestAnimationFrame(() => setTimeout(() => seen.forEach(([chair, hr]) => globalThis.drawn.painted.push([chair, hr, Date.now()]))));
      });
      watch.observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  });
  await page.goto(`${clinic.at}/board`);
  await until(async () => (await page.locator('#connection-state').innerText()) === 'Live', 'the board is live', 120);
  return page;
}

/** Reports one after the other on `lines` connections for five seconds: each is durable before it is acknowledged. */
async function append(devices, lines) {
  const end = performance.now() + 5000;
  let count = 0;
  await Promise.all(
    devices.slice(0, lines).map(async (device) => {
      for (; performance.now() < end; count += 1) await device.send();
    }),
  );
  say(`durable reports a second, ${Math.min(lines, devices.length)} at a time: ${(count / 5).toFixed(0)}`);
}

async function sizes(clinic, nurse) {
  for (const path of ['/board', '/chair/1']) {
    const page = await nurse.text(path);
    const bytes = brotliCompressSync(page).length;
    say(`${path}: ${(page.length / 1000).toFixed(1)} kB, ${(bytes / 1000).toFixed(1)} kB brotli`);
    for (const [, file] of page.matchAll(/(?:href|src)="(\/assets\/[^"]+\.(?:js|css))"/g)) {
      const text = Buffer.from(await (await fetch(clinic.at + file)).arrayBuffer());
      say(`  ${file}: ${(brotliCompressSync(text).length / 1000).toFixed(1)} kB brotli`);
    }
  }
}

async function coldStart(clinic) {
  const times = [];
  for (let nth = 0; nth < 5; nth += 1) {
    await clinic.kill();
    const from = performance.now();
    await clinic.start();
    times.push(performance.now() - from);
  }
  told('cold start to /healthz', times);
}

/** Someone who prints the same record again and again until stopped, and says how often. */
function printing(nurse, visit) {
  let [stopped, printed] = [false, 0];
  const done = (async () => {
    for (; !stopped; printed += 1) {
      const paper = await nurse.text(`/record/${id(visit)}/record.pdf`);
      if (!paper.startsWith('%PDF')) throw new Error(`no record: ${paper.slice(0, 200)}`);
    }
  })();
  return async () => {
    stopped = true;
    await done;
    return printed;
  };
}

/** Both cores at work: two people print the record of an infusion, or two processes only spin. */
async function busy(chosen, nurse, visit) {
  const two = [1, 2].map(() => (chosen === 'printing' ? printing(nurse, visit) : spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })));
  return async () => {
    if (chosen !== 'printing') return two.forEach((one) => one.kill());
    const printed = await Promise.all(two.map((stop) => stop()));
    say(`  records printed meanwhile: ${((printed[0] + printed[1]) / SECONDS).toFixed(0)} a second`);
  };
}

async function room(chairs, chrome) {
  const clinic = await Clinic.found({ chairs, place: tmpdir() });
  try {
    say(`\n${chairs} chairs. At rest: ${memory(clinic)}`);
    const nurse = await clinic.person('kim');
    const { devices, pump, visit } = await fill(clinic, nurse, chairs);
    await measure('quiet', { clinic, nurse, devices });
    const page = await board(chrome, await clinic.person('lee'), clinic);
    await measure('quiet, with a board open', { clinic, nurse, devices, page });
    for (const work of ['printing', 'spinning']) {
      const rest = await busy(work, nurse, visit);
      await measure(`both cores busy ${work}, with a board open`, { clinic, nurse, devices, page });
      await rest();
    }
    await page.context().close();
    await append(devices, 1);
    await append(devices, 64);
    await sizes(clinic, nurse);
    for (const device of [...devices, pump]) device.stop();
    await coldStart(clinic);
  } finally {
    await clinic.close();
  }
}

const chrome = await browser();
for (const chairs of asked.chairs.split(',')) await room(Number(chairs), chrome);
await chrome.close();

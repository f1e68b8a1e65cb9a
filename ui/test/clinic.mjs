// What the tests share: a small clinic that serves the built files, one page, and a live channel that the test holds
// in its hand; and the browser.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const ui = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const templates = join(ui, '../crates/server/templates');
/** The policy of the real server: what breaks it breaks here. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; worker-src 'self'; form-action 'self'";

export function browser() {
  const executablePath = process.env.CHAIRSIDE_CHROMIUM ?? '/usr/bin/chromium';
  const args = ['--no-sandbox', '--disable-gpu', '--autoplay-policy=user-gesture-required'];
  return chromium.launch({ executablePath, args });
}

/** The exports of a module of src/, as they are. */
export async function moduleOf(name) {
  const { outputFiles } = await bundle(name, 'esm');
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** A module of src/ as a script that puts its exports into `window.it`. */
export async function scriptOf(name) {
  return (await bundle(name, 'iife')).outputFiles[0].text;
}

function bundle(name, format) {
  const define = { WATCHDOG_FILE: '"watchdog.js"', WORKER_FILE: '"worker.js"' };
  return build({ entryPoints: [join(ui, 'src', `${name}.ts`)], bundle: true, write: false, format, globalName: 'it', define });
}

const withoutComments = (text) => text.replace(/\{#[\s\S]*?#\}/g, '');

/** @param body what stands in `<main>` */
export function pageOf(body, theme = 'dark') {
  const strip = withoutComments(readFileSync(join(templates, 'parts/alarm_strip.html'), 'utf8'));
  const bar = readFileSync(join(templates, 'parts/top_bar.html'), 'utf8');
  const [connection] = /<span id="connection-state"[\s\S]*?<\/span><\/span>/.exec(bar);
  const manifest = JSON.parse(readFileSync(join(ui, 'dist/manifest.json'), 'utf8'));
  return `<!doctype html><html lang="en" data-theme="${theme}"><head><meta charset="utf-8"><title>Test</title>
    <meta name="viewport" content="width=device-width"><meta name="csrf" content="the-token">
    <link rel="stylesheet" href="/assets/${manifest['chairside.css']}">
    <script type="module" src="/assets/${manifest['chairside.js']}"></script></head>
    <body data-live="room"><header class="top-bar">${connection}
    <span id="sound-state" class="state"></span></header>${strip}<div class="frame"><main id="main" class="main">${body}</main></div></body></html>`;
}

const TYPES = { js: 'text/javascript', css: 'text/css', woff2: 'font/woff2' };

export class Clinic {
  streams = new Set();
  posts = [];
  seq = 0;
  pages = new Map();
  answers = new Map();

  async open() {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise((ready) => this.server.listen(0, '127.0.0.1', ready));
    this.at = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  close() {
    this.stop();
    for (const stream of this.streams) stream.end();
    this.server.closeAllConnections();
    this.server.close();
  }

  answer(request, response) {
    const { pathname } = new URL(request.url, this.at);
    response.setHeader('content-security-policy', POLICY);
    if (pathname === '/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('retry: 200\n\n');
      this.streams.add(response);
      request.on('close', () => this.streams.delete(response));
      if (this.alarms) this.say('a', { alarms: this.alarms }, response);
    } else if (request.method === 'POST') {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        this.posts.push({ path: pathname, body, headers: request.headers });
        const [status, text] = this.answers.get(pathname) ?? [204, ''];
        response.writeHead(status, { 'content-type': 'text/html' }).end(text);
      });
    } else if (pathname.startsWith('/assets/')) {
      const file = pathname.slice('/assets/'.length);
      response.setHeader('content-type', TYPES[file.split('.').at(-1)]);
      response.end(readFileSync(join(ui, 'dist', file)));
    } else {
      const page = this.pages.get(pathname);
      response.writeHead(page === undefined ? 404 : 200, { 'content-type': pathname.endsWith('.json') ? 'application/json' : 'text/html' });
      response.end(page ?? '');
    }
  }

  say(name, data, only) {
    for (const stream of only ? [only] : this.streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  beat(more = {}) {
    this.seq += 1;
    this.say('k', { now: Date.now(), seq: this.seq, recording: true, why: '', ...more });
  }

  /** Beats by itself, faster than the real server, so that tests are short. */
  start() {
    this.timer = setInterval(() => this.beat(), 200);
  }

  stop() {
    clearInterval(this.timer);
  }

  raise(alarms) {
    this.alarms = alarms;
    this.say('a', { alarms });
  }

  postsTo(path) {
    return this.posts.filter((post) => post.path === path);
  }
}

export const alarm = (more) => ({
  id: 'a1', chair: '3', prio: 'high', text: 'SpO₂ 87 %, limit 90 %', since: 1_764_000_000_000, latched: false,
  acked_by: null, sound: true, paused_until: null, recorded: true, ...more,
});

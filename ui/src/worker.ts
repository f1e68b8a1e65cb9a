/**
 * One stream for all pages of this browser. Browsers allow six connections to a server over HTTP/1.1, so with a
 * stream a tab the seventh tab would hang.
 */

import type { FromWorker, ToWorker } from './frames';
import { Stream } from './stream';

interface Page { scope: string; seen: number }

/** Pages report each second; one that crashed says no goodbye. */
const FORGET_MS = 60_000;
const TICK_MS = 500;

const pages = new Map<MessagePort, Page>();
let stream: Stream | undefined;
/** The alarms as last told, for pages that join later. Only as good as the stream, so a new stream starts without. */
let alarms: string | undefined;

function tell(message: FromWorker): void {
  for (const port of pages.keys()) port.postMessage(message);
}

/** One chair when all pages want the same, the room otherwise. */
function follow(): void {
  const scopes = new Set([...pages.values()].map((page) => page.scope));
  if (scopes.size === 0) {
    stream?.close();
    stream = undefined;
    return;
  }
  const [first] = scopes;
  const scope = scopes.size === 1 && first !== undefined ? first : 'room';
  if (stream?.scope === scope) return;
  alarms = undefined;
  const after = stream?.after;
  stream?.close();
  stream = new Stream(scope, (name, data) => {
    if (name === 'a') alarms = data;
    tell({ name, data });
  }, after);
}

function hear(port: MessagePort, message: ToWorker): void {
  if ('gone' in message) {
    pages.delete(port);
  } else {
    const known = pages.has(port);
    pages.set(port, { scope: message.scope, seen: Date.now() });
    if (!known && alarms !== undefined) port.postMessage({ name: 'a', data: alarms } satisfies FromWorker);
  }
  follow();
}

addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0];
  if (!port) return;
  port.onmessage = (message: MessageEvent<ToWorker>) => hear(port, message.data);
});

setInterval(() => {
  for (const [port, page] of pages) if (Date.now() - page.seen > FORGET_MS) pages.delete(port);
  follow();
  stream?.tick();
  tell({ name: 'tick' });
}, TICK_MS);

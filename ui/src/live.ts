/** The page's end of the live channel: hands each frame to everyone who listens, and tells the server what is seen. */

import type { FrameName, Frames, FromWorker, ToWorker } from './frames';
import { v7 as randomId } from 'uuid';
import { Stream } from './stream';

declare const WORKER_FILE: string;

type Listener = (data: never) => void;

const listeners = new Map<FrameName | 'tick' | 'alive', Listener[]>();
/** This device, by the same name every day. */
const display = (localStorage['display'] ??= randomId()) as string;
/** Number of the last frame that this page really showed. */
let paintedSeq = 0;
let reportedAt = 0;
let clockAhead = 0;
let stillHere = (): void => undefined;

export function on<N extends FrameName>(name: N, listener: (data: Frames[N]) => void): void;
export function on(name: 'tick' | 'alive', listener: () => void): void;
export function on(name: FrameName | 'tick' | 'alive', listener: Listener | (() => void)): void {
  listeners.set(name, [...(listeners.get(name) ?? []), listener as Listener]);
}

/** The server's clock, ms since the epoch. A tablet's own clock may be wrong by hours. */
export const serverNow = (): number => Date.now() + clockAhead;

export function start(scope: string): void {
  on('k', (beat) => (clockAhead = beat.now - Date.now()));
  on('reset', () => location.reload());
  if (typeof SharedWorker === 'function') fromWorker(scope);
  else {
    const stream = new Stream(scope, take);
    on('tick', () => stream.tick());
  }
  setInterval(() => hear('tick', undefined), 500);
}

function fromWorker(scope: string): void {
  const { port } = new SharedWorker(`/assets/${WORKER_FILE}`, 'chairside');
  const say = (message: ToWorker): void => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (data.name === 'tick') hear('tick', undefined);
    else take(data.name, data.data);
  };
  stillHere = () => say({ scope });
  stillHere();
  addEventListener('pagehide', () => say({ gone: true }));
  addEventListener('pageshow', stillHere);
}

/** A frame that a listener could not show does not count as seen: the dead-man then speaks up. */
function take(name: FrameName, text: string): void {
  const data = (text === '' ? undefined : JSON.parse(text)) as { seq?: number } | undefined;
  if (!hear(name, data as never)) return;
  const seq = data?.seq;
  if (seq === undefined || seq <= paintedSeq) {
    // A restarted server counts from the beginning again.
    if (seq !== undefined && seq < paintedSeq - 5) paintedSeq = 0;
    return;
  }
  const seen = (): void => {
    paintedSeq = Math.max(paintedSeq, seq);
    hear('alive', undefined);
  };
  if (document.visibilityState === 'visible') requestAnimationFrame(seen);
  else seen();
}

function hear(name: FrameName | 'tick' | 'alive', data: unknown): boolean {
  let all = true;
  for (const listener of listeners.get(name) ?? []) {
    try {
      listener(data as never);
    } catch (fault) {
      all = false;
      console.error(fault);
    }
  }
  if (name === 'tick') report();
  return all;
}

/** Once a second; the server raises an alarm when an infusion is shown by no display. */
function report(): void {
  if (Date.now() - reportedAt < 950) return;
  reportedAt = Date.now();
  stillHere();
  const visible = document.visibilityState === 'visible';
  const body = JSON.stringify({ display, seq: paintedSeq, visible });
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf() };
  // What comes of it is seen on the stream: the server takes the display for gone.
  fetch('/live/painted', { method: 'POST', keepalive: true, headers, body }).catch(() => undefined);
}

/** A person says something of this display. */
export function tell(path: string, said: Record<string, string>): void {
  const body = new URLSearchParams({ csrf: csrf(), command_id: randomId(), display, ...said });
  fetch(path, { method: 'POST', keepalive: true, body }).catch(() => undefined);
}

export const csrf = (): string => document.querySelector<HTMLMetaElement>('meta[name=csrf]')?.content ?? '';

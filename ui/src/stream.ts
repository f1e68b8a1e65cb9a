/** One stream from the server, opened again whenever it fell silent. Runs in the worker, or in the page without one. */

import { FRAME_NAMES, type FrameName } from './frames';

/** The server sends a heartbeat each second. A half-open connection raises no error, so silence has to. */
const SILENT_MS = 5_000;

export class Stream {
  #source: EventSource | undefined;
  #heard = 0;

  /** @param after position in the log of the last event that came. */
  constructor(readonly scope: string, readonly deliver: (name: FrameName, data: string) => void, public after = '') {
    this.#open();
  }

  /** To be called about twice a second. */
  tick(): void {
    if (Date.now() - this.#heard > SILENT_MS) this.#open();
  }

  close(): void {
    this.#source?.close();
  }

  #open(): void {
    this.close();
    this.#heard = Date.now();
    const after = this.after === '' ? '' : `&after=${encodeURIComponent(this.after)}`;
    const source = new EventSource(`/live?scope=${encodeURIComponent(this.scope)}${after}`);
    for (const name of FRAME_NAMES) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.#heard = Date.now();
        if (event.lastEventId !== '') this.after = event.lastEventId;
        this.deliver(name, event.data);
      });
    }
    this.#source = source;
  }
}

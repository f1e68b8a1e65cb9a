/** How times and durations read: 24-hour clock, whole numbers with units, countdowns as m:ss. */

/** Minutes by which the clinic's clock is ahead of UTC, from the page; the tablet's own zone does not matter. */
export function offsetMin(): number {
  return Number(document.querySelector<HTMLElement>('[data-utc-offset-min]')?.dataset['utcOffsetMin'] ?? 0);
}

/** `09:31`, with seconds `09:31:07`, in the clinic's zone. */
export function clock(atMs: number, seconds = false): string {
  return new Date(atMs + offsetMin() * 60_000).toISOString().slice(11, seconds ? 19 : 16);
}

/** `3:12`, `1:04:30`; past its time `late 0:40`. */
export function countdown(inS: number): string {
  const left = Math.abs(Math.round(inS));
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(left / 60);
  const text = minutes < 60 ? `${minutes}:${two(left % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(left % 60)}`;
  return inS < 0 ? `late ${text}` : text;
}

/** `12 s`, `2 min`, `1 h 5 min`. */
export function duration(s: number): string {
  if (s < 60) return `${Math.max(0, Math.floor(s))} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

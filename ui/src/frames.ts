/** What the server says on the live channel, `GET /live?scope=room|chair-N`. */

export type Priority = 'high' | 'medium' | 'low';
export const PRIORITIES: readonly Priority[] = ['high', 'medium', 'low'];

/** Why a value is missing, doubtful, or not from a monitor. Absent means as measured by a device. */
export type Quality = 'no_value' | 'suspect' | 'charted';

export interface ChairSample {
  /** Chair, as in its address. */
  c: string;
  /** Values by short name: `sbp dbp map hr spo2 rr etco2`. */
  v: Record<string, number>;
  /** Seconds since each value was measured, at the time of the frame. */
  age: Record<string, number>;
  q?: Record<string, Quality>;
  passed?: Record<string, string>; // which limit a value passes, by tile
  raw?: Record<string, string>; // what a device sent in place of a value that may be used
  pump?: { status: string; rate: string; ml: number; mg: string; certain: boolean };
  /** Effect-site concentration by the model and the band around it, ng/mL. */
  ce?: number;
  ce_lo?: number; ce_hi?: number;
  phase: string;
  phase_title: string;
  left_s?: number;
  due?: { what: string; in_s: number }[];
  /** False while the log does not take the readings. */
  recorded: boolean;
}

export interface SampleFrame { t: number; seq: number; chairs: ChairSample[] }

export interface Alarm {
  id: string;
  chair: string;
  prio: Priority;
  /** Finished words: what, value, limit, since, n of n. */
  text: string;
  since: number;
  latched: boolean;
  acked_by: string | null;
  /** Whether it is to be heard, apart from a pause. */
  sound: boolean;
  paused_until: number | null;
  recorded: boolean;
  /** The tile of the value in alarm, if it is about one. */
  tile?: string;
}

export interface AlarmFrame { alarms: Alarm[] }
export interface LogFrame { position: number; chair: string; kind: string; text: string; at: number; who: string }
export interface BeatFrame { now: number; seq: number; recording: boolean; why: string }

export interface Frames {
  s: SampleFrame;
  a: AlarmFrame;
  e: LogFrame;
  k: BeatFrame;
  reset: unknown;
}
export type FrameName = keyof Frames;
export const FRAME_NAMES: readonly FrameName[] = ['s', 'a', 'e', 'k', 'reset'];

/** From the worker to a page: a frame, or just that time passes. A page's own timers are slowed when it is hidden. */
export type FromWorker = { name: FrameName; data: string } | { name: 'tick' };
/** From a page to the worker. */
export type ToWorker = { scope: string } | { gone: true };

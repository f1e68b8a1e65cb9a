/**
 * Alarm sound, made by WebAudio in the manner of IEC 60601-1-8: bursts of pulses with four or more harmonics near
 * the fundamental, so that the ear can find them. No audio files.
 */

import { PRIORITIES, type Priority } from './frames';
import { tell } from './live';

declare const WATCHDOG_FILE: string;

interface Burst {
  /** Fundamental, 150–1000 Hz. */
  hz: number;
  pulseS: number;
  gapS: number;
  pulses: number;
  /** Seconds until it is heard again; 0 is once. */
  repeatS: number;
}

export const BURSTS: Readonly<Record<Priority, Burst>> = {
  high: { hz: 523.25, pulseS: 0.15, gapS: 0.1, pulses: 10, repeatS: 10 },
  medium: { hz: 440, pulseS: 0.2, gapS: 0.2, pulses: 3, repeatS: 20 },
  low: { hz: 349.23, pulseS: 0.2, gapS: 0.2, pulses: 2, repeatS: 0 },
};
/** Amplitudes of the fundamental and its harmonics; none is 15 dB below the fundamental. */
const HARMONICS = [0, 1, 0.8, 0.65, 0.5, 0.4, 0.3];
const GAIN = 0.5;
/** Medium and low at night, 6 dB less. High comes in full at any hour. */
const NIGHT_GAIN = GAIN / 2;
/** A pulse swells and fades for this part of its length, or it clicks. */
const RAMP = 0.2;

/** When each pulse of a burst begins, in seconds. High is 3 + 2, a pause, 3 + 2. */
export function pulseTimes(priority: Priority): number[] {
  const { pulseS, gapS, pulses } = BURSTS[priority];
  const step = pulseS + gapS;
  if (priority !== 'high') return Array.from({ length: pulses }, (_, nth) => nth * step);
  const five = [0, 1, 2, 4, 5].map((nth) => nth * step);
  return [...five, ...five.map((at) => at + 5 * step + pulseS + 0.5)];
}

export function burstLengthS(priority: Priority): number {
  return (pulseTimes(priority).at(-1) ?? 0) + BURSTS[priority].pulseS;
}

/** Plays one burst at a time of the context's own clock. */
export function playBurst(context: BaseAudioContext, priority: Priority, at: number): void {
  const { hz, pulseS } = BURSTS[priority];
  const wave = context.createPeriodicWave(new Float32Array(HARMONICS.length), new Float32Array(HARMONICS));
  const ramp = RAMP * pulseS;
  const loud = priority !== 'high' && night() ? NIGHT_GAIN : GAIN;
  for (const begin of pulseTimes(priority).map((time) => at + time)) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.setPeriodicWave(wave);
    tone.frequency.value = hz;
    tone.connect(gain).connect(context.destination);
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(loud, begin + ramp);
    gain.gain.setValueAtTime(loud, begin + pulseS - ramp);
    gain.gain.linearRampToValueAtTime(0, begin + pulseS);
    tone.start(begin);
    tone.stop(begin + pulseS);
  }
}

/** Whether this device has its night level; `on` chooses. */
export function night(on = localStorage.getItem('sound-night') === 'on'): boolean {
  localStorage.setItem('sound-night', on ? 'on' : 'off');
  return on;
}

/** `off`: nobody has tested it in this tab, or nobody heard it. */
export type SoundState = 'running' | 'suspended' | 'off';

/** A test counts for this tab until it is closed. */
const TESTED = 'sound-tested';

let context: AudioContext | undefined;
let watchdog: AudioWorkletNode | undefined;

const tested = (): boolean => sessionStorage.getItem(TESTED) === 'heard';

/** Never `running` unless the browser really plays and a person heard the test. */
export function soundState(): SoundState {
  if (context === undefined || !tested()) return 'off';
  return context.state === 'running' ? 'running' : 'suspended';
}

/** Starts the audio again after a page load, when the browser lets it; a touch anywhere helps it. */
export const resumeSound = (): void => void (tested() && open().catch(() => undefined));

async function open(): Promise<AudioContext> {
  if (context === undefined) {
    context = new AudioContext();
    await startWatchdog(context);
  }
  // Without a gesture the promise stays open for good, so nothing waits for it.
  void context.resume();
  return context;
}

/** A tone of its own thread: it sounds when this page stops telling it that data comes. Needs TLS or loopback. */
async function startWatchdog(audio: AudioContext): Promise<void> {
  if (!audio.audioWorklet) return;
  await audio.audioWorklet.addModule(`/assets/${WATCHDOG_FILE}`);
  watchdog = new AudioWorkletNode(audio, 'watchdog', { numberOfInputs: 0, outputChannelCount: [1] });
  watchdog.connect(audio.destination);
}

/** `fed`: data came. A number: no tone, whatever happens, for so many seconds. */
export const tellWatchdog = (word: 'fed' | 'fire' | number): void => watchdog?.port.postMessage(word);

/** Whether the dead-man's tone comes from the audio thread; without it the page has to make it. */
export const hasWatchdog = (): boolean => watchdog !== undefined;

/** Plays a burst now; false when nothing can be heard. */
export function sound(priority: Priority): boolean {
  if (context?.state !== 'running') return false;
  playBurst(context, priority, context.currentTime + 0.05);
  return true;
}

/** The test at the start of a shift, all three priorities from low to high. Call it from a tap. */
export async function selfTest(show: (priority: Priority) => void): Promise<boolean> {
  const audio = await open();
  await Promise.race([audio.resume(), pause(1)]);
  if (audio.state !== 'running') return false;
  for (const priority of [...PRIORITIES].reverse()) {
    show(priority);
    playBurst(audio, priority, audio.currentTime + 0.05);
    await pause(burstLengthS(priority) + 0.6);
  }
  return true;
}

export function confirmTest(heard: boolean): void {
  sessionStorage.setItem(TESTED, heard ? 'heard' : 'not heard');
  tell('/live/sound-test', { heard: heard ? 'yes' : 'no' });
}

const pause = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

/**
 * Runs on the audio thread, which goes on when the page's own thread hangs. The page feeds it while frames come;
 * unfed for three seconds it sounds by itself: two falling tones, unlike any alarm of a patient.
 */

const [SILENT_S, CYCLE_S, TONE_S, GAIN] = [3, 2, 0.35, 0.35] as const;
/** A falling fifth. */
const TONES_HZ = [660, 440] as const;

class Watchdog extends AudioWorkletProcessor {
  #fedAt = currentTime;
  #quietUntil = 0;
  #phase = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<'fed' | 'fire' | number>) => {
      if (data === 'fed') {
        this.#fedAt = currentTime;
        this.#quietUntil = 0;
      } else if (data !== 'fire') {
        this.#quietUntil = currentTime + data;
      } else {
        this.#fedAt = Math.min(this.#fedAt, currentTime - SILENT_S);
      }
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const samples = outputs[0]?.[0];
    const starved = currentTime - this.#fedAt - SILENT_S;
    if (samples === undefined || starved < 0 || currentTime < this.#quietUntil) return true;
    const inCycle = starved % CYCLE_S;
    const hz = TONES_HZ[Math.floor(inCycle / TONE_S)];
    if (hz === undefined) return true;
    for (let at = 0; at < samples.length; at += 1) {
      // Fundamental and harmonics to the fifth, so that a small loudspeaker carries it.
      let wave = 0;
      for (let nth = 1; nth <= 5; nth += 1) wave += Math.sin(nth * this.#phase) / nth;
      samples[at] = (GAIN * wave) / 2;
      this.#phase = (this.#phase + (2 * Math.PI * hz) / sampleRate) % (2 * Math.PI);
    }
    return true;
  }
}

registerProcessor('watchdog', Watchdog);

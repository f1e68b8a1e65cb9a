// Somebody against whom nothing speaks, and what a consultation asks, for the tests that begin with one.
import { readFileSync } from 'node:fs';

export const PERSON = { family: 'Rivera', given: 'Ana', born: '1984-03-12', mrn: '004217', sex: 'f', allergies: 'known', which: 'penicillin' };
export const SECTIONS = ['plan', 'diagnoses', 'trials', 'medicines', 'history', 'vitals', 'work-up', 'scales'];
export const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** The document of the screening; its days are as many before today as they are before its own, and vital signs of today
 *  are of its first minutes. */
const written = JSON.parse(readFileSync(new URL('../../../clinic/tests/screening/clean.json', import.meta.url), 'utf8'));
const moved = (date) => day(Math.round((Date.parse(date) - Date.parse(written.on)) / 86_400_000));
const clean = JSON.parse(JSON.stringify(written), (_, value) =>
  typeof value !== 'string' ? value : value.replace(/^\d{4}-\d\d-\d\d/, moved).replace(/T09:(\d\d)$/, 'T00:$1'));

function flat(value, name = '') {
  if (Array.isArray(value)) return value.flatMap((one, n) => flat(one, `${name}[${n}]`));
  if (value && typeof value === 'object') return Object.entries(value).flatMap(([key, one]) => flat(one, name ? `${name}.${key}` : key));
  return [[name, value === 'negative' ? 'no' : String(value)]];
}
/** The same as the fields of the pages. */
export const ANSWERS = Object.fromEntries(flat(clean));

// Makes a small PNG of a screenshot: the 256 colours that occur most, the others as the nearest of them.

import { readFileSync, writeFileSync } from 'node:fs';
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Width, height, bytes a pixel, and the pixels row by row. Reads what the browser writes: 8 bits, RGB or RGBA. */
function read(png) {
  const data = [];
  let head;
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const [kind, body] = [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + png.readUInt32BE(at))];
    if (kind === 'IHDR') head = { width: body.readUInt32BE(0), height: body.readUInt32BE(4), deep: body[8], colour: body[9] };
    if (kind === 'IDAT') data.push(body);
  }
  const bytes = { 2: 3, 6: 4 }[head.colour];
  if (head.deep !== 8 || !bytes) throw new Error(`not a screenshot: ${JSON.stringify(head)}`);
  return { ...head, bytes, pixels: unfiltered(inflateSync(Buffer.concat(data)), head.width * bytes, head.height, bytes) };
}

function unfiltered(rows, wide, height, bytes) {
  const out = Buffer.alloc(wide * height);
  for (let y = 0; y < height; y += 1) {
    const filter = rows[y * (wide + 1)];
    for (let x = 0; x < wide; x += 1) {
      const left = x < bytes ? 0 : out[y * wide + x - bytes];
      const up = y === 0 ? 0 : out[(y - 1) * wide + x];
      const corner = x < bytes || y === 0 ? 0 : out[(y - 1) * wide + x - bytes];
      out[y * wide + x] = rows[y * (wide + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(guess - one));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(kind, body) {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}

/** Writes the picture in `file` anew with at most 256 colours. */
export function shrink(file) {
  const { width, height, bytes, pixels } = read(readFileSync(file));
  const seen = new Map();
  const colours = new Uint32Array(width * height);
  for (let n = 0; n < colours.length; n += 1) {
    colours[n] = pixels.readUIntBE(n * bytes, 3);
    seen.set(colours[n], (seen.get(colours[n]) ?? 0) + 1);
  }
  const palette = [...seen].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => colour);
  const place = new Map(palette.map((colour, nth) => [colour, nth]));
  const far = (a, b) => [16, 8, 0].reduce((sum, bits) => sum + (((a >> bits) & 255) - ((b >> bits) & 255)) ** 2, 0);
  const nearest = (colour) => palette.reduce((best, one, nth) => (far(one, colour) < far(palette[best], colour) ? nth : best), 0);
  for (const colour of seen.keys()) if (!place.has(colour)) place.set(colour, nearest(colour));
  const rows = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, n) => (rows[n + Math.floor(n / width) + 1] = place.get(colour)));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const plte = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  writeFileSync(file, Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('PLTE', plte), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]));
}

#!/usr/bin/env node
// A newcomer's test, picture by picture: a scenario runs in simulated time, a client of ours says of each picture
// whether a vehicle is in it, and by the picture's serial number the camera is asked whether that is true.
// Needs Node and nothing else. usage: detect_presence.mjs [BUILD_FOLDER]
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const where = ['--dir', mkdtempSync(`${tmpdir()}/fleet-`)];
const fleet = (...words) =>
  JSON.parse(execFileSync(`${process.argv[2] ?? 'build'}/cli/vedettectl`, ['--json', '-u', 'root:Correct-horse-7', 'fleet', ...words, ...where]));
const [camera] = fleet('start', '1', '--first-port', '0', '--clock', 'sim', '--source', 'virtual:640x360@10').cameras;

// A body is posted as JSON; the certificate is the camera's own.
const ask = (path, body) =>
  new Promise((done, fail) => {
    const options = { method: body ? 'POST' : 'GET', auth: 'root:Correct-horse-7', rejectUnauthorized: false };
    https.request(camera.https + path, options, done).on('error', fail).end(body && JSON.stringify(body));
  });
const read = async (reply) => Buffer.concat(await (await reply).toArray());

await read(ask('/vedette/stage/scenario', { text: `scenario passers
place street
length 40 once
actor first car-hatch drive eastbound from 2
actor second van drive eastbound from 9` }));
await read(ask('/axis-cgi/com/ptz.cgi?pan=0&tilt=-11&zoom=2000')); // a keyhole onto the near lane
await read(ask('/vedette/stage/clock', { advance: 2 }));

// The client: whatever is in the keyhole changes the length of the JPEG.
const pictures = [];
let text = '';
(await ask('/axis-cgi/mjpg/video.cgi?resolution=320x180&fps=5')).setEncoding('latin1').on('data', (d) => (text += d));
while (pictures.length < 5 * 35) {
  await read(ask('/vedette/stage/clock', { advance: 0.2 })); // returns when the picture has been sent
  let head;
  while (!(head = /Content-Length: (\d+)\r\n\r\n/.exec(text)) || text.length < head.index + head[0].length + +head[1]) await sleep(1);
  const jpeg = text.substr(head.index + head[0].length, +head[1]);
  text = text.slice(head.index + head[0].length + jpeg.length);
  pictures.push({ size: jpeg.length, serial: /"serial":(\d+)/.exec(jpeg)[1] });
}
const usual = pictures.map((p) => p.size).sort((a, b) => a - b)[pictures.length >> 1];

// The truth: is a vehicle in this very picture, and more than a sliver of it?
let right = 0;
let present = 0;
for (const { size, serial } of pictures) {
  const { objects } = JSON.parse(await read(ask(`/vedette/stage/truth?serial=${serial}`)));
  const truly = objects.some((o) => ['car', 'van'].includes(o.class) && o.box[2] * o.box[3] > 0.03);
  present += truly;
  right += truly === Math.abs(size / usual - 1) > 0.03;
}
console.log(`a vehicle is in ${present} of ${pictures.length} pictures; the client is right about ${right}`);
fleet('stop', '--all');
process.exit(present > 0 && right >= 0.95 * pictures.length ? 0 : 1);

#!/usr/bin/env node
// A newcomer's test: a client of ours says of each picture whether a vehicle is in it; by the picture's serial number
// the camera, which knows, is asked whether that is true.
import { Camera } from './vedette.mjs';

const camera = new Camera('virtual:640x360@10');
await camera.ask('/vedette/stage/scenario', { text: `scenario passers
place street
length 40 once
actor first car-hatch drive eastbound from 2
actor second van drive eastbound from 9` });
await camera.ask('/axis-cgi/com/ptz.cgi?pan=0&tilt=-11&zoom=2000'); // a keyhole onto the near lane
await camera.advance(2); // the head gets there
const pictures = [];
for await (const { jpeg, serial } of camera.pictures({ seconds: 35, fps: 5, resolution: '320x180' })) {
  const { objects } = await camera.ask(`/vedette/stage/truth?serial=${serial}`);
  const truly = objects.some(({ class: c, box }) => ['car', 'van'].includes(c) && box[2] * box[3] > 0.03); // no sliver
  pictures.push({ size: jpeg.length, truly });
}
// The client: whatever is in the keyhole changes the length of the JPEG.
const usual = pictures.map((p) => p.size).sort((a, b) => a - b)[pictures.length >> 1];
const right = pictures.filter(({ size, truly }) => truly === Math.abs(size / usual - 1) > 0.03).length;
const present = pictures.filter((p) => p.truly).length;
console.log(`a vehicle is in ${present} of ${pictures.length} pictures; the client is right about ${right}`);
process.exit(present > 0 && right >= 0.95 * pictures.length ? 0 : 1);

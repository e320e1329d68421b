// A virtual camera of one's own for tests in JavaScript: starts it, asks it, takes its pictures, stops it.
// Needs Node and nothing else. $VEDETTECTL: the program, if it is not build/cli/vedettectl.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';

const LOGIN = 'root:Correct-horse-7';

/** In simulated time it stands still but for advance() and pictures(). It ends with the program. */
export class Camera {
  constructor(source = 'virtual', clock = 'sim') {
    this.folder = mkdtempSync(`${tmpdir()}/camera-`);
    const start = ['start', '1', '--first-port', '0', '--clock', clock, '--source', source];
    this.ports = this.#fleet(...start).cameras[0]; // http, https, rtsp: their addresses
    process.on('exit', () => this.#fleet('stop', '--all'));
  }

  #fleet(...words) {
    const program = process.env.VEDETTECTL ?? 'build/cli/vedettectl';
    return JSON.parse(execFileSync(program, ['--json', '-u', LOGIN, 'fleet', ...words, '--dir', this.folder]));
  }

  /** The answer to a GET, or to a POST of the body as JSON. The certificate is the camera's own. */
  open(path, body) {
    const options = { method: body ? 'POST' : 'GET', auth: LOGIN, rejectUnauthorized: false };
    return new Promise((done, fail) =>
      https.request(this.ports.https + path, options, done).on('error', fail).end(body && JSON.stringify(body)));
  }

  /** What open() gets: JSON as an object, all else as a buffer. */
  async ask(path, body) {
    const answer = await this.open(path, body);
    const data = Buffer.concat(await answer.toArray());
    if (answer.statusCode >= 400) throw new Error(`${path}: ${answer.statusCode} ${data}`);
    return /json/.test(answer.headers['content-type']) ? JSON.parse(data) : data;
  }

  /** Lets time go on; what is due is done then, and pictures are sent. */
  advance(seconds) {
    return this.ask('/vedette/stage/clock', { advance: seconds });
  }

  /** One after the other, while time goes on: the JPEG and its serial number. */
  async *pictures({ seconds, fps, resolution }) {
    const stream = await this.open(`/axis-cgi/mjpg/video.cgi?resolution=${resolution}&fps=${fps}`);
    const parts = stream[Symbol.asyncIterator]();
    let data = Buffer.alloc(0);
    for (let n = Math.round(seconds * fps); n > 0; n--) {
      await this.advance(1 / fps);
      let head, end;
      const whole = () =>
        (head = /Content-Length: (\d+)\r\n\r\n/.exec(data.toString('latin1', 0, 1000))) &&
        data.length >= (end = head.index + head[0].length + Number(head[1]));
      while (!whole()) data = Buffer.concat([data, (await parts.next()).value]);
      const jpeg = data.subarray(end - Number(head[1]), end);
      data = data.subarray(end);
      yield { jpeg, serial: Number(/"serial":(\d+)/.exec(jpeg.toString('latin1'))[1]) };
    }
    stream.destroy();
  }
}

// Plays a stream with the browser player library of npm, in node.
// usage: node msl.mjs h264|jpeg|ws URI USER PASSWORD PICTURES [WS_URL]
// Prints {"pictures", "keys", "bytes", "synced", "sdp"} and ends.
import { createRequire } from 'node:module'
import { Readable, Writable } from 'node:stream'

// The library's ES module does not load in node; its CommonJS twin does.
const require = createRequire(import.meta.url)
const WebSocket = require('ws')
const {
  Auth, H264Depay, JPEGDepay, Pipeline, RtspParser, RtspSession, Sink, Source, TcpSource,
} = require('media-stream-library')

const [mode, uri, username, password, wanted, wsUrl] = process.argv.slice(2)
const H264 = 7, JPEG = 10

// The library's own WebSocket source is in its browser half only; this is the same in node.
function wsSource(url) {
  const socket = new WebSocket(url, 'binary')
  const open = new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  const incoming = new Readable({ objectMode: true, read() {} })
  socket.on('message', (data, binary) => {
    if (!binary) throw new Error('a text frame')
    incoming.push({ data: Buffer.from(data), type: 1 })
  })
  socket.on('close', (code) => {
    console.error('WebSocket closed', code)
    incoming.push(null)
  })
  const outgoing = new Writable({
    objectMode: true,
    write(msg, _encoding, done) {
      open.then(() => socket.send(msg.data, done), done)
    },
  })
  const source = new Source(incoming, outgoing)
  source.end = () => socket.close()
  return source
}

const found = { pictures: 0, keys: 0, bytes: 0, synced: false, sdp: '' }
let pipeline
const finish = (code) => {
  console.log(JSON.stringify(found))
  process.exit(code)
}
const seen = (msg) => {
  if (msg.type !== H264 && msg.type !== JPEG) return
  found.pictures++
  found.bytes += msg.data.length
  if (msg.type === H264 && msg.nalType === 5) found.keys++
  if (msg.ntpTimestamp !== undefined) found.synced = true
  if (found.pictures >= Number(wanted)) finish(0)
}
const session = new RtspSession({ uri })
session.onSdp = (sdp) => { found.sdp = sdp.media.map((m) => m.type).join(' ') }
session.onError = (e) => { console.error(e); finish(1) }
const source = mode === 'ws' ? wsSource(wsUrl) : new TcpSource()
const stages = [source, new RtspParser()]
if (mode !== 'ws') stages.push(new Auth({ username, password }))
stages.push(session, mode === 'jpeg' ? new JPEGDepay() : new H264Depay(), Sink.fromHandler(seen))
pipeline = new Pipeline(...stages)
session.play(0)
setTimeout(() => { console.error('too slow'); finish(1) }, 60000)

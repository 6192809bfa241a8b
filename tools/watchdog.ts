// Ends a process of tests whose event loop stands still, and says where. The time limit of a test is a timer: it cannot end a loop
// that never returns to the event loop.
import { Worker } from 'node:worker_threads'

const BEAT_MS = 5000
/** How many beats may fail. The slowest tests take some 30 s of a busy machine in one piece. */
const PATIENCE = 36

/** Runs in a thread of its own, because the thread that it watches may never run again. */
const WATCH = `
const { workerData } = require('node:worker_threads')
const { Session } = require('node:inspector')
const { writeSync } = require('node:fs')
const { beats, beatMs, patience } = workerData
let [seen, missed] = [-1, 0]
const watch = setInterval(() => {
  const beat = Atomics.load(beats, 0)
  missed = beat === seen ? missed + 1 : 0
  seen = beat
  if (missed < patience) return
  clearInterval(watch)
  const still = 'The event loop of process ' + process.pid + ' has stood still for ' + (patience * beatMs) / 1000 + ' s. '
  const end = () => process.kill(process.pid, 'SIGKILL')
  setTimeout(() => {
    writeSync(2, still + 'It does not say where.\\n')
    end()
  }, 10000)
  const session = new Session()
  session.connectToMainThread()
  session.on('Debugger.paused', ({ params }) => {
    const lines = params.callFrames.slice(0, 40).map(({ functionName, url, location }) =>
      '    at ' + (functionName || 'anonymous') + ' (' + url + ':' + (location.lineNumber + 1) + ')')
    writeSync(2, still + 'It is here:\\n' + lines.join('\\n') + '\\n')
    end()
  })
  session.post('Debugger.enable', () => session.post('Debugger.pause'))
}, beatMs)
`

const KEY = Symbol.for('halt.tests.watchdog')
const host = globalThis as { [KEY]?: boolean }

if (host[KEY] !== true) {
  host[KEY] = true
  const beats = new Int32Array(new SharedArrayBuffer(4))
  setInterval(() => void Atomics.add(beats, 0, 1), BEAT_MS).unref()
  const workerData = { beats, beatMs: BEAT_MS, patience: PATIENCE }
  new Worker(WATCH, { eval: true, workerData, execArgv: [] }).unref()
}

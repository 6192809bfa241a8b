import { defineComponent, h } from 'vue'

/** The first example as a project that a sandbox can run. It keeps its counters in memory, so it needs no server. */
export const FILES = {
  'package.json': JSON.stringify(
    {
      name: 'halt-first-limit',
      private: true,
      type: 'module',
      scripts: { start: 'node app.mjs & sleep 1 && node ask.mjs' },
      dependencies: { '@halt/express': 'latest', express: '^5' },
    },
    undefined,
    2,
  ),
  'app.mjs': `import { halt } from '@halt/express'
import express from 'express'

const app = express()
app.use(
  halt({
    // At most 5 requests in any minute, by address
    policy: { name: 'api', limit: 5, window: '1m', algorithm: 'sliding-window' },
    exemptPrivateIps: false,
  }),
)
app.get('/', (req, res) => void res.send('hello'))
app.listen(3000)
`,
  'ask.mjs': `for (let i = 0; i < 8; i++) {
  const response = await fetch('http://localhost:3000/')
  console.log(response.status, response.headers.get('retry-after') ?? '')
}
`,
}

/** A button that opens the first example in a sandbox of StackBlitz, in a new tab. Nothing is sent before it is pressed. */
export const Sandbox = defineComponent({
  name: 'OpenSandbox',
  setup: () => () =>
    h(
      'form',
      {
        class: 'sandbox',
        method: 'post',
        action: 'https://stackblitz.com/run?file=app.mjs',
        target: '_blank',
      },
      [
        field('project[title]', 'Halt: a first limit'),
        field('project[description]', 'Five requests in a minute, with Express.'),
        field('project[template]', 'node'),
        ...Object.entries(FILES).map(([name, text]) => field(`project[files][${name}]`, text)),
        h('button', { type: 'submit' }, 'Open in a sandbox'),
      ],
    ),
})

function field(name: string, value: string): ReturnType<typeof h> {
  return h('input', { type: 'hidden', name, value })
}

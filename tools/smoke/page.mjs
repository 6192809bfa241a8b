// Checks that the installed page for operators finds its files, its own and those of uPlot.
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'

import { run } from './run.mjs'

const FILES = ['', 'files/main.js', 'files/uplot.js', 'files/uplot.css']

/** Loads the page both ways, and asks for its files. @param {string} folder where the packages are installed */
export async function checkPage(folder) {
  for (const { file, load } of [
    { file: 'page.mjs', load: 'name => import(name)' },
    { file: 'page.cjs', load: 'async name => require(name)' },
  ]) {
    writeFileSync(join(folder, file), script(load))
    const said = (await run(process.execPath, [join(folder, file)], folder)).trim()
    if (said !== FILES.map(() => '200').join(' ')) throw new Error(`${file} says ${said}.`)
  }
}

/** @param {string} load a function that loads a module */
function script(load) {
  return `
const load = ${load}
async function ask() {
  const { Control } = await load('@halt/control')
  const { RateLimiter } = await load('@halt/core')
  const { InMemoryStore } = await load('@halt/store-memory')
  const { operator } = await load('@halt/operator')
  const store = new InMemoryStore()
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy: { name: 'a', limit: 1, window: 1 } })
  const page = operator({ limiters: [limiter], control, authorize: () => 'ann' })
  const statuses = []
  for (const file of ${JSON.stringify(FILES)})
    statuses.push((await page(new Request('http://localhost/halt/' + file))).status)
  console.log(statuses.join(' '))
}
ask()
`
}

// A process in which Vitest stays: it knows the transformed sources, and starts one worker for each run. Its parent is tests.mjs.
import { BaseSequencer, createVitest } from 'vitest/node'

const { bail, projects } = JSON.parse(process.argv[2] ?? '')
/** The files of this run, in their order. @type {string[]} */
let order = []

class AsAsked extends BaseSequencer {
  /** @override @param {import('vitest/node').TestSpecification[]} files */
  async sort(files) {
    return files.toSorted((a, b) => order.indexOf(a.moduleId) - order.indexOf(b.moduleId))
  }
}

const vitest = await createVitest('test', {
  watch: false,
  project: projects,
  bail,
  maxWorkers: 1,
  reporters: [{ onTestModuleEnd: () => void process.send?.({ hasEnded: true }) }],
  sequence: { sequencer: AsAsked },
})
await vitest.standalone()

process.on('message', question => {
  void answer(/** @type {import('./tests.mjs').Question} */ (question)).then(found => process.send?.(found))
})
process.on('disconnect', () => void vitest.close().finally(() => process.exit()))
process.send?.('ready')

/** @param {import('./tests.mjs').Question} question */
async function answer({ list, project, files, changed }) {
  if (list !== undefined) {
    const found = await vitest.globTestSpecifications(list)
    return { files: found.map(({ moduleId }) => moduleId) }
  }
  for (const file of changed) vitest.invalidateFile(file)
  // Vitest counts failures of earlier runs, too.
  vitest.state.idMap.clear()
  vitest.state.filesMap.clear()
  order = files
  const own = vitest.projects.find(({ name }) => name === project)
  const asked = files.flatMap(file => own?.createSpecification(file) ?? [])
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(asked)
  const results = testModules.map(module => {
    const tests = [...module.children.allTests()]
    const { collectDuration, duration } = module.diagnostic()
    return {
      file: module.moduleId,
      seconds: (collectDuration + duration) / 1000,
      isFailed: module.state() === 'failed',
      failed: tests.filter(test => test.result().state === 'failed').map(({ name }) => name),
      passed: tests.filter(test => test.result().state === 'passed').length,
    }
  })
  return { results, errors: unhandledErrors.length }
}

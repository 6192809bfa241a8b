// Checks that editors find in the built declarations every comment that the sources have.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../pnpm.mjs'

const DECLARATION =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:class|interface|function|const|type) (\w+)/
const MEMBER = /^ {2}(?:(?:readonly|static|get|declare|abstract|async) )*(\w+)\??[:(<]/

/**
 * Compares a package's built declarations with its sources.
 * @param {string} folder the package, installed or in the workspace @param {string} short its folder in the workspace
 */
export async function checkDocumentation(folder, short) {
  const sources = filesIn(join(root, 'packages', short, 'src'), '.ts').flatMap(declarations)
  // Files may have a name in common. Only one of them is exported, and it may be the one without a comment.
  const bare = new Set(sources.filter(({ hasComment }) => !hasComment).map(({ name }) => name))
  const documented = new Set(sources.map(({ name }) => name).filter(name => !bare.has(name)))
  const missing = filesIn(join(folder, 'dist'), '.d.cts').flatMap(file => {
    const shown = declarations(file)
    return shown.flatMap(({ name, hasComment }) => (hasComment || !documented.has(name) ? [] : [name]))
  })
  if (documented.size === 0) throw new Error('The sources have no comments.')
  if (missing.length > 0) throw new Error(`The declarations have lost the comments of ${missing.join(', ')}.`)
}

/** @param {string} folder @param {string} end */
function filesIn(folder, end) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(end))
    .map(name => join(folder, name))
}

/** Declarations and their members as `Name` and `Name.member`, with whether a comment ends on a line before. @param {string} file */
function declarations(file) {
  /** @type {{ name: string, hasComment: boolean }[]} */
  const found = []
  let owner = ''
  let hasComment = false
  // A comment after a member on the same line belongs to nothing, so it is left out.
  for (const line of readFileSync(file, 'utf8')
    .replace(/;[ \t]*\/\*\*.*\*\//g, ';')
    .split('\n')) {
    const declaration = DECLARATION.exec(line)?.[1]
    const member = MEMBER.exec(line)?.[1]
    if (declaration !== undefined) owner = declaration
    const name = declaration ?? (member === undefined ? undefined : `${owner}.${member}`)
    if (name !== undefined) found.push({ name, hasComment: hasComment || line.includes('*/') })
    if (line.startsWith('}')) owner = ''
    if (line.trim() !== '' && !line.trim().startsWith('@')) hasComment = line.trimEnd().endsWith('*/')
  }
  return found
}

// The maps of a package: one for both formats, and small. A built file is readable, so a map leads from a line to a line.
import { dirname, relative, resolve, sep } from 'node:path'

import { decode, encode } from '@jridgewell/sourcemap-codec'

/** The line before each module of a built file: `// src/index.ts`. */
const BEGINNING = /^\/\/ src\/\S+$/

/**
 * A plugin that rewrites the maps of a build: one place per line, and each source by its address in the repository.
 *
 * @param {{ root: string, address: string, hasText: boolean }} settings the package's folder, the address of that folder, and
 *   whether the maps hold the text of the sources
 */
export function smallMaps({ root, address, hasText }) {
  return {
    name: 'small-maps',
    /** @param {{ dir: string }} output @param {Record<string, any>} files */
    generateBundle({ dir }, files) {
      for (const map of Object.values(files)) {
        if (!map.fileName.endsWith('.map')) continue
        const { file, mappings, sources, sourcesContent } = JSON.parse(map.source)
        const folder = dirname(resolve(dir, map.fileName))
        const lines = files[map.fileName.slice(0, -'.map'.length)].code.split('\n')
        const paths = sources.map((/** @type {string} */ source) => relative(root, resolve(folder, source)))
        map.source = JSON.stringify({
          version: 3,
          file,
          sourceRoot: address,
          sources: paths.map((/** @type {string} */ path) => path.split(sep).join('/')),
          ...(hasText ? { sourcesContent } : {}),
          names: [],
          mappings: encode(decode(mappings).map((places, i) => firstPlace(places, lines[i]))),
        })
      }
    },
  }
}

/**
 * The place of a line. A line of closing brackets has none, because nothing happens there.
 * @param {import('@jridgewell/sourcemap-codec').SourceMapSegment[]} places @param {string} line
 */
function firstPlace(places, line) {
  const first = places.find(place => place.length > 1)
  if (first === undefined || /^[\s)}\];,]*$/.test(line)) return []
  return [/** @type {typeof first} */ ([0, first[1], first[2], 0])]
}

/**
 * Lets a CommonJS file use the map of the ES module of the same sources, because both have the same lines between imports and
 * exports. The imports are made as many lines as those of the ES module.
 *
 * @param {string} commonJs the text of the file @param {string} esModule the text of the ES module
 * @param {string} map the path from the file to the map
 */
export function withMapOf(commonJs, esModule, map) {
  const [wanted = 0, ...others] = beginnings(esModule)
  const lines = commonJs.trimEnd().split('\n')
  const [first = 0] = beginnings(commonJs)
  const imports = lines.slice(0, first).filter(line => !line.startsWith('//'))
  const padding = Array(Math.max(0, wanted - 1)).fill('')
  const text = [imports.join(' '), ...padding, ...lines.slice(wanted === 0 ? first + 1 : first), ''].join(
    '\n',
  )
  const found = beginnings(text)
  if (found.slice(wanted === 0 ? 0 : 1).join() !== others.join())
    throw new Error(`${map} does not fit the CommonJS file: its lines differ from those of the ES module.`)
  return `${text}//# sourceMappingURL=${map}\n`
}

/** @param {string} code @returns {number[]} the lines before modules */
function beginnings(code) {
  return code.split('\n').flatMap((line, i) => (BEGINNING.test(line) ? i : []))
}

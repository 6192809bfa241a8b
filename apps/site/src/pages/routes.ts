import { PACKAGES, pagesIn } from './repository.ts'

/** The routes of the pages that are not in `docs`, by their file in the repository. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'README.md': 'start',
  'RELIABILITY.md': 'reliability',
  'SECURITY.md': 'security',
  'ARCHITECTURE.md': 'architecture',
  'CONTRIBUTING.md': 'contributing',
  'codeql/README.md': 'codeql',
  'apps/benchmarks/README.md': 'measured/benchmarks',
  'apps/faults/README.md': 'measured/faults',
  'apps/faults/RESULTS.md': 'measured/faults-results',
  'apps/demo-kit/README.md': 'demo',
}

const DOCS = ['docs', 'docs/errors', 'docs/migrate', 'docs/platforms', 'docs/recipes']

/** The routes of the pages, by their file in the repository. A route has no slash at its start and no ending. */
export const ROUTES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(ELSEWHERE),
  ...PACKAGES.map(name => [`packages/${name}/README.md`, `packages/${name}`] as const),
  ...DOCS.flatMap(pagesIn).map(path => [path, docsRoute(path)] as const),
])

function docsRoute(path: string): string {
  if (path === 'docs/README.md') return 'contents'
  return path.replace(/^docs\//, '').replace(/README\.md$|\.md$/, match => (match === '.md' ? '' : 'index'))
}

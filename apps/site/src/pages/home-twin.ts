import { SITE } from './repository.ts'

/** The front page as plain Markdown. VitePress draws the page from the YAML at its head, where each value has a line. */
export function homeTwin(text: string): string {
  const [hero = '', features = ''] = text.split(/^features:$/m)
  const [about = '', actions = ''] = hero.split(/^ {2}actions:$/m)
  const links = itemsOf(actions).map(item => linkTo(valueIn(item, 'text'), item))
  const lines = itemsOf(features).map(
    item =>
      `- **${valueIn(item, 'title')}**: ${valueIn(item, 'details')} ${linkTo(valueIn(item, 'linkText'), item)}`,
  )
  return [
    `# ${valueIn(about, 'name')}`,
    `${valueIn(about, 'text')}. ${valueIn(about, 'tagline')}`,
    links.join(' · '),
    `${lines.join('\n')}\n`,
  ].join('\n\n')
}

function itemsOf(list: string): string[] {
  return list.split(/^ +- /m).slice(1)
}

function linkTo(label: string, item: string): string {
  const [route = '', anchor] = valueIn(item, 'link').slice(1).split('#')
  return `[${label}](${SITE}/${route.replace(/\/$/, '/index')}.md${anchor === undefined ? '' : `#${anchor}`})`
}

function valueIn(block: string, name: string): string {
  const found = new RegExp(`^ *${name}: (.+)$`, 'm').exec(block)
  if (found?.[1] === undefined) throw new Error(`The front page lacks "${name}".`)
  return found[1]
}

/** How each package manager says what npm says. */
const MANAGERS = {
  npm: { install: 'npm install', uninstall: 'npm uninstall', dev: '--save-dev' },
  pnpm: { install: 'pnpm add', uninstall: 'pnpm remove', dev: '--save-dev' },
  yarn: { install: 'yarn add', uninstall: 'yarn remove', dev: '--dev' },
  bun: { install: 'bun add', uninstall: 'bun remove', dev: '--dev' },
} as const

const BLOCK = /^```sh\n((?:npm (?:install|uninstall) [^\n#&|]*\n)+)```$/gm

/** Shows a block of install lines, and nothing else, in tabs: one for each package manager. All blocks follow the choice. */
export function withInstallTabs(text: string): string {
  return text.replaceAll(BLOCK, (_all, lines: string) => {
    const tabs = Object.entries(MANAGERS).map(([name, words]) => {
      const said = lines.replaceAll(
        /^npm (install|uninstall)( (?:-D|--save-dev))?/gm,
        (_line, verb: 'install' | 'uninstall', dev: string | undefined) =>
          words[verb] + (dev === undefined ? '' : ` ${words.dev}`),
      )
      return `== ${name}\n\n\`\`\`sh\n${said}\`\`\`\n`
    })
    return `:::tabs key:manager variant:code\n${tabs.join('\n')}\n:::`
  })
}

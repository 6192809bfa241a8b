import { describe, expect, it } from 'vitest'
import { commands } from '../../src/commands.ts'
import { halt } from '../halt.ts'

describe('the command line', () => {
  it('halt lists its commands without arguments, and with --help', async () => {
    const [bare, asked] = [await halt([]), await halt(['--help'])]
    expect(asked).toEqual(bare)
    expect(bare.code).toBe(0)
    for (const { name, summary } of commands) expect(bare.out).toContain(`${name.padEnd(8)}  ${summary}`)
  })

  it.each(commands.map(({ name }) => name))(
    'halt %s --help shows every option, as halt help does',
    async name => {
      const { code, out, err } = await halt([name, '--help'])
      const { flags, usage } = commands.find(command => command.name === name)!
      expect([code, err]).toEqual([0, ''])
      expect(out).toContain(`npx @halt/cli ${name} ${usage}`.trimEnd())
      for (const flag of Object.keys(flags)) expect(out).toContain(`  --${flag}`)
      expect(await halt(['help', name])).toEqual({ code, out, err })
    },
  )

  it.each([
    [['blok', 'user:42'], 'Did you mean block?'],
    [['block', 'user:42', '--raeson', 'x'], 'Did you mean --reason?'],
    [['block', 'user:42', '--zzz'], 'halt block has no option --zzz. npx @halt/cli block --help'],
    [['block', 'user:42', '--for'], '--for'],
    [['block', 'user:42', '--for', '1h', '--for', '2h'], '--for is given twice'],
    [['block', 'user:42', '--force=yes'], '--force'],
    [['block'], 'too few arguments. Write: npx @halt/cli block <whom>'],
    [['history', 'x'], 'too many arguments'],
    [['history'], 'There is no address of a store'],
    [['history', '--redis', 'localhost'], '--redis is not an address'],
    [['doctor'], 'nothing to check'],
  ])('halt fails for %j with a hint', async (args, hint) => {
    const { code, out, err } = await halt(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('HALT_E_COMMAND')
    expect(err).toContain(hint)
  })

  it('an error of the command line does not repeat the password of an address', async () => {
    const { err } = await halt(['history', '--redis', 'http://user:hunter2@localhost'])
    expect(err).not.toContain('hunter2')
  })
})

import type { Command } from './command/command.ts'
import { doctorCommand } from './doctor/doctor-command.ts'
import { accessCommands, takeBackCommands } from './operate/access-commands.ts'
import { findCommand } from './operate/find-command.ts'
import { grantCommands } from './operate/grant-command.ts'
import { listCommands } from './operate/list-commands.ts'
import { numberCommands } from './operate/number-commands.ts'
import { pauseCommands } from './operate/pause-commands.ts'
import { resetCommand } from './operate/reset-command.ts'
import { topCommand } from './operate/top-command.ts'
import { replayCommand } from './replay/replay-command.ts'

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  replayCommand,
  doctorCommand,
  findCommand,
  resetCommand,
  ...grantCommands,
  topCommand,
  ...accessCommands,
  ...takeBackCommands,
  ...pauseCommands,
  ...numberCommands,
  ...listCommands,
]

import { type Load, load } from './load.ts'

// The load generator in a process of its own: on each message it does one load and says what came of it.
process.on('message', (wanted: Load) => {
  load(wanted).then(
    answers => process.send?.(answers),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))

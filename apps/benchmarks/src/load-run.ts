import { type Load, load } from './load.ts'

// The load generator as a process. At each message it runs one load and sends the results.
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

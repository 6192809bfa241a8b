// Serves the app in a process of its own, until it is told to end.
import { serve } from './served.ts'

const { url, close } = await serve(process.argv[2] ?? '')
process.once('SIGTERM', () => void close())
console.log(url)

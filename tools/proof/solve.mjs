// Asks Z3. Reads groups of questions from standard input, a JSON list of lists of SMT-LIB texts, and prints a JSON list of answers: of each
// group the first that is not `unsat`. It is a process of its own, because Z3 keeps threads.
import { init } from 'z3-solver'

let input = ''
for await (const part of process.stdin) input += String(part)
const { Z3 } = await init()
// What hangs ends by its time. A question takes a second at most, and on a busy machine several.
Z3.global_param_set('timeout', '120000')

/** @param {string} question */
async function answerTo(question) {
  const context = Z3.mk_context(Z3.mk_config())
  const solver = Z3.mk_solver(context)
  Z3.solver_inc_ref(context, solver)
  // Not by the call that takes a text and answers it: that one returns before it has read the text.
  Z3.solver_from_string(context, solver, question)
  const error = Z3.get_error_code(context)
  if (error !== 0) throw new Error(`Z3 does not understand its question: ${Z3.get_error_msg(context, error)}`)
  const answer = await Z3.solver_check(context, solver)
  Z3.solver_dec_ref(context, solver)
  Z3.del_context(context)
  return answer === 1 ? 'sat' : answer === -1 ? 'unsat' : 'unknown'
}

const answers = []
for (const group of /** @type {string[][]} */ (JSON.parse(input))) {
  let answer = 'unsat'
  for (const question of group) if ((answer = await answerTo(question)) !== 'unsat') break
  answers.push(answer)
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0))

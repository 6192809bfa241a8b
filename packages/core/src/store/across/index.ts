export { evaluateAcross } from './evaluate-across.ts'
export { LOOK_RULE } from './look-rule.ts'
export { nodesOf, type NodeOf, type Send } from './part.ts'

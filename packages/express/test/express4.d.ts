// These have no types of their own; what the tests use of them is what Express 5 has.
declare module 'express4' {
  import express from 'express'
  export default express
}
declare module 'express51' {
  import express from 'express'
  export default express
}

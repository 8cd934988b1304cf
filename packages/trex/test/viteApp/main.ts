// A page as a user's bundler makes it: the tests call what trex/web exports.
import * as trex from 'trex/web'

Object.assign(globalThis, { trex })

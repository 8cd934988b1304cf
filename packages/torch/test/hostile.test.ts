import { expect, test } from 'vitest'
import { runScript } from './support/child.js'

/** Calls into the addon at least; each group is generated, so that a new export or value adds its own. */
const atLeast = { exports: 2000, operators: 10_000, schemes: 1000 }

test.each(Object.entries(atLeast))(
  '%s: every hostile call gives an Error or a harmless value',
  (group, least) => {
    const child = runScript('test/hostile/run.mjs', { flags: ['--expose-gc'], args: [group, '--names'] })
    const last = child.lines.at(-1)!
    expect({ status: child.status, signal: child.signal, during: last.startsWith('{') ? '' : last }).toEqual({
      status: 0,
      signal: null,
      during: '',
    })
    const summary = JSON.parse(last)
    expect(summary.wrong).toEqual([])
    expect(summary.distinct).toBe(summary.calls)
    expect(summary.errors + summary.values).toBe(summary.calls)
    expect(summary.distinct).toBeGreaterThan(least)
    console.log(
      `${group}: ${summary.distinct} hostile calls, ${summary.errors} errors, ${summary.values} harmless`,
    )
  },
)

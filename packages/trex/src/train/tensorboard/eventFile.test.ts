import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readEvents } from '../../../test/support/eventFileReader.js'
import { isEventFile, openEventFile } from './eventFile.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trex-events-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('an event file', () => {
  test('holds its version, the start of the session, and what was written, at once', () => {
    const before = Date.now() / 1000
    using file = openEventFile(dir, { startStep: 0 })
    file.scalar('train/loss', 7, 0.1)
    file.scalar('train/loss', 2 ** 40, -2.5, 1234.5)
    file.histogram('weights', 8, Float32Array.of(1, 2, 2, 4))
    file.text('config', 0, 'seed: 22 · größer')
    const [version, start, ...events] = readEvents(readFileSync(file.path))
    expect(version).toMatchObject({ fileVersion: 'brain.Event:2', step: 0 })
    expect(version!.wallTime).toBeGreaterThanOrEqual(before)
    expect(start).toMatchObject({ sessionStatus: 1, step: 0 })
    expect(events).toMatchObject([
      { tag: 'train/loss', step: 7, scalar: Math.fround(0.1) },
      { tag: 'train/loss', step: 2 ** 40, scalar: -2.5, wallTime: 1234.5 },
      { tag: 'weights', step: 8, histogram: { min: 1, max: 4, num: 4, sum: 9, sumSquares: 25 } },
      { tag: 'config', step: 0, text: 'seed: 22 · größer', plugin: 'text' },
    ])
    const { limits, counts } = events[2]!.histogram!
    expect([limits.length, limits.at(-1), counts[0], counts[10], counts[29]]).toEqual([30, 4, 1, 2, 1])
  })

  test('has the name that TensorBoard looks for, later ones after earlier ones', () => {
    openEventFile(dir, { startStep: 0 }).close()
    writeFileSync(join(dir, 'events.out.tfevents.4000000000.ahead.1.0'), '') // of a clock that was ahead
    const second = openEventFile(dir, { startStep: 3 })
    second.close()
    const names = readdirSync(dir).sort()
    expect(names[0]).toMatch(/^events\.out\.tfevents\.\d{10}\./)
    expect(names[0]!.endsWith(`.${hostname()}.${process.pid}.0`)).toBe(true)
    expect(names[2]).toBe(basename(second.path))
    expect(names.every(isEventFile)).toBe(true)
    expect(isEventFile('metrics.jsonl')).toBe(false)
    expect(readEvents(readFileSync(second.path))[1]).toMatchObject({ sessionStatus: 1, step: 3 })
  })

  test('holds any scalar, tag and step', () => {
    using file = openEventFile(dir, { startStep: 0 })
    const written: unknown[] = []
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.nat(),
        fc.float(),
        fc.double(),
        (tag, step, scalar, wallTime) => {
          file.scalar(tag, step, scalar, wallTime)
          written.push({ tag, step, scalar, wallTime })
        },
      ),
    )
    expect(readEvents(readFileSync(file.path)).slice(2)).toEqual(written)
  })

  test('of which the end is cut off holds all records before', () => {
    const file = openEventFile(dir, { startStep: 0 })
    for (let step = 0; step < 3; step++) file.scalar('loss', step, step)
    file.close()
    const whole = readFileSync(file.path)
    const counts = Array.from(whole, (_, length) => readEvents(whole.subarray(0, length)).length)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(new Set(counts)).toEqual(new Set([0, 1, 2, 3, 4]))
  })

  test('that is damaged is noticed by its CRCs', () => {
    const file = openEventFile(dir, { startStep: 0 })
    file.close()
    const whole = readFileSync(file.path)
    for (let at = 0; at < whole.length; at++) {
      const damaged = Uint8Array.from(whole)
      damaged[at]! ^= 1
      expect(() => readEvents(damaged), `byte ${at}`).toThrow('wrong CRC')
    }
  })

  test('is closed once, and takes nothing afterwards', () => {
    const file = openEventFile(dir, { startStep: 0 })
    file.flush()
    file.close()
    file.close()
    file[Symbol.dispose]()
    expect(() => file.scalar('loss', 0, 1)).toThrow(`${file.path} has been closed`)
  })
})

test('a folder that is not there is an error that names the file', () => {
  expect(() => openEventFile(join(dir, 'gone'), { startStep: 0 })).toThrow(
    /gone\/events\.out\.tfevents cannot be written: ENOENT/,
  )
})

test('a full disk is an error that names the file, which keeps whole records alone', () => {
  const script = `
    import { openEventFile } from '${new URL('../../../dist/train/tensorboard/eventFile.js', import.meta.url)}'
    process.on('SIGXFSZ', () => {})
    const file = openEventFile(process.argv[1], { startStep: 0 })
    try {
      for (let step = 0; ; step++) file.text('log', step, 'x'.repeat(100))
    } catch (error) {
      console.log(error.name, error.message, error.hint)
    }`
  const command = `ulimit -f 4; exec '${process.execPath}' --input-type=module -e "$0" "$1"` // 4 KiB
  const { stdout, stderr } = spawnSync('bash', ['-c', command, script, dir], { encoding: 'utf8' })
  expect(stdout, stderr).toMatch(
    /^TrexError .*\/events\.out\.tfevents\..* cannot be written: EFBIG.* free some space/,
  )
  const bytes = readFileSync(join(dir, readdirSync(dir)[0]!))
  const events = readEvents(bytes)
  expect(events.length).toBeGreaterThan(20)
  expect(events.at(-1)!.step).toBe(events.length - 3)
  expect(readEvents(bytes.subarray(0, -1))).toHaveLength(events.length - 1)
})

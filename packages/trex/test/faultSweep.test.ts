import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randint, randn, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveSettings } from '../src/config.js'
import { collectBadImages } from '../src/data/loader/badImages.js'
import { TrexError } from '../src/errors.js'
import { rngFor } from '../src/rng.js'
import { type Learner, learnerState } from '../src/train/learner.js'
import { restoreLearner, saveLearner } from '../src/train/learnerCheckpoint.js'
import { type Position, START } from '../src/train/position.js'
import { checkpointPath, createRun } from '../src/train/run.js'
import { openSaves } from '../src/train/saves.js'
import { trainStep } from '../src/train/step.js'
import { tinyLearner } from './support/tinyLearner.js'

// Every operation of a save is made to fail in turn. What was saved before must stay readable and be the state that it
// was, and training must go on from there as if nothing had happened.

const faults = createRequire(import.meta.url)('./support/faultyFs.cjs') as {
  arm(fault?: { op?: string; nth: number; action: string; when?: string; save?: number }): void
  operations(): string[]
}
const dir = mkdtempSync(join(tmpdir(), 'trex-faults-'))
beforeAll(() => setNumThreads(1))
afterAll(() => rmSync(dir, { recursive: true }))

const settings = resolveSettings({ sets: ['checkpoints.keepEvery=1', 'checkpoints.keep=1'] })
const data = { madeBy: 'train' as const, root: dir, classes: [], trainImages: 0, valImages: 0, images: '' }
const run = createRun(join(dir, 'run'), settings, data)
const path = checkpointPath(run)
const folder = join(run.dir, 'checkpoints')
const at = (epoch: number): Position => ({ ...START, epoch })

function step(learner: Learner, seed: number): void {
  const input = { crops: [randn([4, 3, 8, 8])], labels: randint(0, 3, [4]) }
  tidy(() => trainStep(learner, input, 0.01 * seed))
}

function digest(learner: Learner): string {
  const hash = createHash('sha256')
  const state = [...learnerState(learner), ...learner.optimizer.stateDict()]
  for (const [name, tensor] of state) hash.update(name).update(new Uint8Array(tensor.toTypedArray().buffer))
  return hash.digest('hex')
}

/** The state that the run would go on from. */
function restored(): { position: Position; digest: string } {
  const learner = tinyLearner(2)
  const position = restoreLearner(path, learner)
  return { position, digest: digest(learner) }
}

describe('one save of three names', () => {
  const learner = tinyLearner()
  const saves = openSaves(run, learner, collectBadImages(), START)
  const states: string[] = []

  test('in good order', () => {
    for (const epoch of [1, 2]) {
      step(learner, epoch)
      states.push(digest(learner))
      faults.arm()
      saves.saveEpoch(at(epoch), true)
      expect(restored()).toEqual({ position: at(epoch), digest: states.at(-1) })
    }
    expect(readdirSync(folder).sort()).toEqual([
      'best.safetensors',
      'epoch-0002.safetensors',
      'last.safetensors',
    ])
  })

  const operations = [
    ...['open', 'write', 'fsync', 'rename', 'open', 'fsync'], // best, and its folder
    ...['link', 'rename', 'open', 'fsync'], // epoch-0003
    ...['link', 'rename', 'open', 'fsync'], // last
    'rm', // epoch-0002
  ]

  test('does these operations', () => {
    faults.arm()
    step(learner, 3)
    saves.saveEpoch(at(3), true)
    const seen = faults
      .operations()
      .filter((op, i, all) => op !== 'read' && !(op === 'write' && all[i - 1] === op))
    expect(seen).toEqual(operations)
  })

  test.each(['EINVAL', 'ENOTSUP'])(
    '%s at the sync of a folder is no error: names are kept without it',
    (code) => {
      for (const nth of [2, 3]) {
        faults.arm({ op: 'fsync', nth, save: 1, action: code })
        saves.saveEpoch(at(3), true)
        expect(restored()).toEqual({ position: at(3), digest: digest(learner) })
      }
    },
  )

  test.each(['ENOSPC', 'EIO', 'EACCES'])('%s at each of them', (code) => {
    faults.arm()
    saves.saveEpoch(at(3), true)
    const total = faults.operations().length
    expect(total).toBeGreaterThan(40)
    let before = restored()
    for (let nth = 1; nth <= total; nth++) {
      const epoch = before.position.epoch + 1
      step(learner, epoch)
      const next = { position: at(epoch), digest: digest(learner) }
      faults.arm({ nth, action: code })
      let error: unknown
      try {
        saves.saveEpoch(at(epoch), true)
      } catch (caught) {
        error = caught
      }
      faults.arm()
      expect(error, `operation ${nth}`).toBeInstanceOf(TrexError)
      expect((error as TrexError).message).toContain(`${folder}/`)
      expect((error as TrexError).message).toContain(code)
      expect((error as TrexError).hint).toMatch(/--resume/)
      const after = restored()
      expect([before, next], `after operation ${nth}`).toContainEqual(after)
      // What comes next is a save of the same state, as a resumed run makes it.
      restoreLearner(path, learner)
      expect(digest(learner)).toBe(after.digest)
      before = after
    }
    saves.saveEpoch(at(before.position.epoch + 1), true)
    expect(readdirSync(folder)).toHaveLength(3)
  })
})

describe('a damaged checkpoint is found', () => {
  const copy = join(dir, 'damaged.safetensors')
  const learner = tinyLearner()
  const rng = rngFor(4)

  beforeAll(() => {
    faults.arm()
    saveLearner(path, learner, at(1))
  })

  test('whichever of 256 bytes is flipped', () => {
    const bytes = readFileSync(path)
    copyFileSync(path, copy)
    const places = [0, 7, 8, bytes.length - 1, ...Array.from({ length: 252 }, () => rng.int(bytes.length))]
    for (const place of places) {
      const damaged = Buffer.from(bytes)
      damaged[place]! ^= 1 << rng.int(8)
      writeFileSync(copy, damaged)
      expect(() => restoreLearner(copy, learner), `byte ${place}`).toThrow(/damaged\.safetensors/)
    }
  })

  test('wherever it is cut, 64 times', () => {
    const bytes = readFileSync(path)
    const lengths = [
      0,
      1,
      7,
      8,
      9,
      bytes.length - 1,
      ...Array.from({ length: 58 }, () => rng.int(bytes.length)),
    ]
    for (const length of lengths) {
      writeFileSync(copy, bytes.subarray(0, length))
      expect(() => restoreLearner(copy, learner), `${length} bytes`).toThrow(/damaged\.safetensors/)
    }
  })
})

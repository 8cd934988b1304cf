import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import {
  AdamW,
  clipGradNorm_,
  type Device,
  GradScaler,
  liveTensors,
  type Optimizer,
  Parameter,
  SGD,
  type Tensor,
  tensor,
  tidy,
} from '../../src/index.js'
import { expectClose, values } from './values.js'

/** A run of torch.amp.GradScaler (test/fixtures/gradScaler.py) in which some gradients were replaced. */
interface Trajectory {
  optimizer: string
  lr: number
  momentum?: number
  betas?: [number, number]
  eps?: number
  weight_decay?: number
  overflows: Record<number, string>
  maxNorm: number | null
  rows: { scale: number; growthTracker: number; weights: number[] }[]
}

const fixture = new URL('../fixtures/gradScaler.json', import.meta.url)

/** All of them, by a name each. */
export const scalerTrajectories = (JSON.parse(readFileSync(fixture, 'utf8')) as Trajectory[]).map(
  (one) => [nameOf(one), one] as const,
)

function nameOf({ optimizer, overflows, maxNorm }: Trajectory): string {
  return `${optimizer}, overflows at ${Object.keys(overflows)}${maxNorm === null ? '' : ', clipped'}`
}

/** Repeats a run, and compares scale, growth tracker and weights after each step; no step leaves a tensor behind. */
export function followTrajectory(trajectory: Trajectory, device: Device): void {
  const params = startOn(device)
  const optimizer = optimizerOf(params, trajectory)
  const scaler = new GradScaler({ initialScale: 1024, growthInterval: 2 })
  const live: number[] = []
  for (const [i, row] of trajectory.rows.entries()) {
    tidy(() => {
      optimizer.zeroGrad()
      scaler.scale(lossOf(params)).backward()
      const overflow = trajectory.overflows[i + 1]
      if (overflow) params[1]!.grad!.select(0, 1).select(0, 0).fill_(toNumber(overflow))
      if (trajectory.maxNorm !== null) {
        scaler.unscale(optimizer)
        clipGradNorm_(params, trajectory.maxNorm)
      }
      scaler.step(optimizer)
      scaler.update()
    })
    const { weights, ...state } = row
    expect(scaler.state()).toEqual(state)
    expectClose(params.flatMap(values), weights, 1e-6)
    live.push(liveTensors())
  }
  expect(new Set(live).size).toBe(1)
}

function startOn(device: Device): Parameter[] {
  const start = [
    [0.5, -1, 2],
    [
      [1, -0.25],
      [0.125, 3],
    ],
  ]
  return start.map((weights) => new Parameter(tensor(weights, { device })))
}

function optimizerOf(params: Parameter[], settings: Trajectory): Optimizer {
  const { lr, momentum, betas, eps, weight_decay: weightDecay = 0 } = settings
  return betas
    ? new AdamW(params, { lr, betas, eps: eps!, weightDecay })
    : new SGD(params, { lr, momentum: momentum ?? 0, weightDecay })
}

function lossOf([a, b]: readonly Tensor[]): Tensor {
  const sines = a!.sin().sum().add(b!.sin().mul(2).sum())
  return sines.add(a!.sum().mul(b!.sum()).mul(0.1))
}

const toNumber = (text: string) => Number(text.replace('inf', 'Infinity'))

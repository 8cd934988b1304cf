/**
 * Kills a training run with SIGKILL at random moments, resumes it, and compares its final checkpoint with that of a
 * run that was never interrupted: every tensor must be equal bit for bit. `--kills N` (default 3), `--epochs N`.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { openSafetensors } from '../packages/torch/dist/safetensors.js'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '3' }, epochs: { type: 'string', default: '4' } },
})
const kills = Number(values.kills)
const trex = fileURLToPath(new URL('../packages/trex/dist/cli/main.js', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'trex-kill-'))

const settings = [
  ...[
    '--recipe',
    'trex',
    '--encoder',
    'resnet18',
    '--image-size',
    '32',
    '--batch-size',
    '16',
    '--warmup-epochs',
    '1',
  ],
  ...['--epochs', values.epochs, '--workers', '1', '--set', 'stem=imagenet', '--set', 'localCrops.count=2'],
  ...[
    '--set',
    'projector.hidden=64',
    '--set',
    'projector.bottleneck=32',
    '--set',
    'onlineClassMeans.size=128',
  ],
]

/** JPEGs of four kinds of texture, 24 a class. */
async function makeImages(root) {
  for (let kind = 0; kind < 4; kind++) {
    await mkdir(join(root, `class${kind}`), { recursive: true })
    for (let i = 0; i < 24; i++) {
      const pixels = Buffer.alloc(40 * 40 * 3)
      for (let p = 0; p < pixels.length; p++)
        pixels[p] =
          128 + 100 * Math.sin((p / 3) * (0.05 + 0.11 * kind) + i) + 20 * Math.sin(p * 12.9898 * (i + 1))
      const raw = { width: 40, height: 40, channels: 3 }
      await sharp(pixels, { raw })
        .jpeg()
        .toFile(join(root, `class${kind}`, `${i}.jpg`))
    }
  }
}

/** Runs trex; with `killAfter` it is killed once that many rows of metrics are written. Whether it ended by itself. */
function run(args, metrics, killAfter) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [trex, 'train', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (text) => {
      errors += text
    })
    const watch = setInterval(() => {
      const rows = existsSync(metrics) ? readFileSync(metrics, 'utf8').split('\n').length - 1 : 0
      if (killAfter !== undefined && rows >= killAfter) child.kill('SIGKILL')
    }, 5)
    child.on('exit', (code, signal) => {
      clearInterval(watch)
      if (code === 0 || signal === 'SIGKILL') resolve(code === 0)
      else reject(new Error(`trex ended with ${code ?? signal}: ${errors}`))
    })
  })
}

/** SHA-256 of the checkpoint's tensors by name. */
function fingerprint(runDir) {
  const file = openSafetensors(join(runDir, 'checkpoints/last.safetensors'))
  const hash = (name) => createHash('sha256').update(file.read(name).data).digest('hex')
  return new Map(
    [...file.entries.keys()].filter((name) => !name.includes('sha256')).map((name) => [name, hash(name)]),
  )
}

try {
  const data = join(dir, 'images')
  await makeImages(data)
  const whole = join(dir, 'whole')
  const metricsOf = (runDir) => join(runDir, 'metrics.jsonl')
  await run([data, ...settings, '--out', whole], metricsOf(whole))
  const rows = readFileSync(metricsOf(whole), 'utf8').split('\n').length - 1
  const perEpoch = rows / Number(values.epochs)
  const expected = fingerprint(whole)
  let bad = 0
  for (let kill = 0; kill < kills; kill++) {
    const cut = join(dir, `cut${kill}`)
    const at = Math.ceil(perEpoch + Math.random() * (rows - 1.5 * perEpoch)) // after the first checkpoint, well before the end
    const ended = await run([data, ...settings, '--out', cut], metricsOf(cut), at)
    await run(['--resume', cut], metricsOf(cut))
    const got = fingerprint(cut)
    const differing = [...expected].filter(([name, hash]) => got.get(name) !== hash).map(([name]) => name)
    const sameRows = readFileSync(metricsOf(cut), 'utf8').split('\n').length - 1 === rows
    const ok = differing.length === 0 && got.size === expected.size && sameRows
    if (!ok) bad++
    console.log(
      `kill ${kill + 1} after row ${at} of ${rows}${ended ? ' (too late: the run had ended)' : ''}: ` +
        (ok
          ? `${got.size} tensors equal bit for bit`
          : `DIFFERS in ${differing.slice(0, 5).join(', ') || 'rows of metrics.jsonl'}`),
    )
  }
  process.exitCode = bad === 0 ? 0 : 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}

// Compares the time of a call with ONNX Runtime's on the same PQ-ONNX file, taking turns on the same core.
// The first call of a turn does not count, on either side: ONNX Runtime's threads go on spinning for some milliseconds after its last call.
// usage: PQ_ONNXRUNTIME_NODE=<node_modules with onnxruntime-node> node compare-onnxruntime.mjs MODEL.onnx [threads=1] [batch=1] [rounds=15]
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [model, threads = '1', batch = '1', rounds = '15'] = process.argv.slice(2);
const modules = process.env.PQ_ONNXRUNTIME_NODE;
if (!model || !modules) {
  console.error('usage: PQ_ONNXRUNTIME_NODE=<node_modules> node compare-onnxruntime.mjs MODEL.onnx [threads] [batch] [rounds]');
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const ort = createRequire(join(resolve(modules), 'x.js'))('onnxruntime-node');
const program = process.env.PQ_BENCHMARKS ?? join(here, 'bin/Release/net10.0/MLNet.PQCompression.Benchmarks.dll');

const ours = spawn('dotnet', [program, 'serve', model, threads, batch], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: ours.stdout })[Symbol.asyncIterator]();
const answer = async () => (await lines.next()).value;
const ask = async text => { ours.stdin.write(text + '\n'); return answer(); };
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

const loaded = await answer();
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: +threads, interOpNumThreads: 1 });
const size = +(process.env.PQ_IMAGE_SIZE ?? 224);
const data = new Float32Array(+batch * 3 * size * size).map((_, i) => (i % 255) / 127 - 1);
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [+batch, 3, size, size]) };
const calls = Math.max(4, Math.round(16 / +batch));
for (let i = 0; i < calls; i++) await session.run(feeds);
await ask(String(4 * calls));

const theirTimes = [], ourTimes = [], ratios = [];
for (let round = 0; round < +rounds; round++) {
  const theirs = [];
  for (let i = 0; i <= calls; i++) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    theirs.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  theirs.shift();
  const mine = (await ask(String(calls + 1))).split(' ').map(Number).slice(1);
  theirTimes.push(...theirs);
  ourTimes.push(...mine);
  ratios.push(median(mine) / median(theirs));
}
const memory = await ask('memory');
ours.stdin.end();
const f = x => x.toFixed(2);
console.log(`${model} threads ${threads} batch ${batch}: ours ${f(median(ourTimes))} ms (min ${f(Math.min(...ourTimes))}), ` +
  `ONNX Runtime ${f(median(theirTimes))} ms (min ${f(Math.min(...theirTimes))}), ratio of medians by round ${f(median(ratios))}, ` +
  `of minima ${f(Math.min(...ourTimes) / Math.min(...theirTimes))}; ${loaded}; resident ${memory.split(' ')[0]} MiB`);

// Runs models in ONNX Runtime. argv[2] is a JSON file: [{ model, input, shape, output }], input and output being raw float32 files.
const fs = require('fs');
const ort = require('onnxruntime-node');

(async () => {
  for (const job of JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))) {
    const session = await ort.InferenceSession.create(job.model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    const bytes = fs.readFileSync(job.input);
    const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const results = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', data, job.shape) });
    const values = results[session.outputNames[0]].data;
    fs.writeFileSync(job.output, Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
})().catch(error => {
  console.error(error.message);
  process.exit(1);
});

using System.Diagnostics;
using System.Globalization;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.TorchSharp;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Distils on demand, so that a script can take turns with PyTorch: for each line "n" it runs n steps and prints their milliseconds.</summary>
/// <remarks>A step is the teacher's and the student's forward pass, the backward pass with batch statistics, and the update of all codewords. The codes are arbitrary: they do not change the time.</remarks>
internal static class TrainingServer
{
    /// <param name="model">The teacher.</param>
    /// <param name="device">"managed", or a device of torch: "cpu", "cuda", and "cuda-bfloat16".</param>
    /// <param name="threads">Threads on the host.</param>
    /// <param name="batch">Images in a batch.</param>
    /// <param name="size">Their height and width.</param>
    public static int Run(string model, string device, int threads, int batch, int size)
    {
        ModelGraph teacher = ModelFile.Load(model);
        ModelGraph student = Quantize(teacher);
        const string Reduced = "-bfloat16";
        using IBackend backend = device == "managed"
            ? new ManagedBackend(threads)
            : new TorchBackend(new() { Device = device.Replace(Reduced, "", StringComparison.Ordinal), Threads = threads, TrainInBFloat16 = device.EndsWith(Reduced, StringComparison.Ordinal) });
        using ITrainingModel teacherModel = backend.Create(teacher, 3, size, size, TrainingSetup.Frozen);
        using ITrainingModel studentModel = backend.Create(student, 3, size, size, new() { Trainable = TrainableParameters.Codebooks(student), BatchStatistics = true });
        var random = new Random(0);
        float[] images = [.. Enumerable.Range(0, batch * 3 * size * size).Select(_ => (float)(random.NextDouble() * 4 - 2))];
        var logits = new float[batch * teacherModel.OutputLength];
        Console.WriteLine(backend.Name);
        while (Console.ReadLine() is { Length: > 0 } line)
        {
            if (line == "memory")
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Process.GetCurrentProcess().WorkingSet64 / 1048576.0:F0}"));
                continue;
            }
            var times = new double[int.Parse(line, CultureInfo.InvariantCulture)];
            for (int i = 0; i < times.Length; i++)
            {
                long from = Stopwatch.GetTimestamp();
                teacherModel.Evaluate(images, batch, logits);
                studentModel.ComputeGradients(new(images, batch, new TeacherTarget(logits)));
                studentModel.Update(0.001);
                times[i] = Stopwatch.GetElapsedTime(from).TotalMilliseconds;
            }
            Console.WriteLine(string.Join(' ', times.Select(t => t.ToString("F3", CultureInfo.InvariantCulture))));
        }
        return 0;
    }

    private static ModelGraph Quantize(ModelGraph graph)
    {
        var random = new Random(1);
        return graph.WithInitializers(graph.Nodes.Where(n => n.Operator is Conv or Gemm).Skip(1).Select(n => n.Inputs[1]).Where(w => graph.Initializers[w] is DenseTensor).Select(name =>
        {
            Initializer weight = graph.Initializers[name];
            int rowLength = (int)(weight.Shape.Count / weight.Shape[0]), blockSize = rowLength % 9 == 0 ? 9 : 4;
            int codewords = (int)Math.Min(256, weight.Shape.Count / blockSize / 4);
            ushort[] codes = [.. Enumerable.Range(0, (int)weight.Shape.Count / blockSize).Select(_ => (ushort)random.Next(codewords))];
            return KeyValuePair.Create(name, (Initializer)new QuantizedTensor(weight.Shape, blockSize, weight.ToDense()[..(codewords * blockSize)].ToArray(), codes));
        }));
    }
}

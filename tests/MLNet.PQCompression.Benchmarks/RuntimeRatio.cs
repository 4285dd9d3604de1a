using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using ElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;
using Session = MLNet.PQCompression.Inference.InferenceSession;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>
/// Scores the same files here and with ONNX Runtime, one image on one thread, in turns within one process. What is measured is the processor time of the thread, so that
/// other work on the machine takes nothing away from either side but the caches.
/// </summary>
internal static unsafe partial class RuntimeRatio
{
    private const int ThreadClock = 3, WarmUp = 3, DefaultSize = 224;

    public static int Run(double seconds, IEnumerable<string> models)
    {
        Console.WriteLine("| model | here, ms | ONNX Runtime, ms | ratio | calls |\n|---|---|---|---|---|");
        foreach (string model in models)
        {
            Measured m = Measure(model, seconds);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {Path.GetFileName(model)} | {m.Here:F1} | {m.There:F1} | {m.Ratio:F2} | {m.Calls} |"));
        }
        return 0;
    }

    /// <summary>Median processor times of a call in milliseconds.</summary>
    internal readonly record struct Measured(double Here, double There, int Calls)
    {
        /// <summary>Ours over ONNX Runtime's.</summary>
        public double Ratio => Here / There;
    }

    /// <summary>Measures a model.</summary>
    internal static Measured Measure(string model, double seconds)
    {
        ModelGraph graph = ModelFile.Load(model);
        int[] size = [.. graph.Input.Shape.Dimensions.Skip(1).Select(d => d > 0 ? d : DefaultSize)];
        var random = new Random(1);
        float[] image = [.. Enumerable.Range(0, size.Aggregate(1, (p, d) => p * d)).Select(_ => random.NextSingle() * 2 - 1)];
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var theirs = new InferenceSession(model, options);
        bool isLast = graph.Origin is OnnxDocument { Input.Layout: ImageLayout.Nhwc };
        long[] shape = isLast ? [1, size[1], size[2], size[0]] : [1, .. size.Select(d => (long)d)];
        using OrtValue input = theirs.InputMetadata[graph.Input.Name].ElementDataType switch
        {
            ElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(image, v => (Float16)v), shape),
            ElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(image, v => (byte)(128 + 127 * v)), shape),
            _ => OrtValue.CreateTensorValueFromMemory(image, shape),
        };
        using var run = new RunOptions();
        using var ours = new Session(graph, new() { Threads = 1, InputShape = new(size) });
        string[] names = [.. graph.Outputs.Select(o => o.Name)];
        Memory<float>[] outputs = [.. ours.Outputs.Select(o => new float[o.Length])];
        List<double> here = [], there = [];
        long start = Environment.TickCount64;
        for (int i = 0; i < WarmUp + 3 || Environment.TickCount64 - start < seconds * 1000; i++)
        {
            long before = ThreadTime();
            theirs.Run(run, [graph.Input.Name], [input], names).Dispose();
            long between = ThreadTime();
            ours.Run(image, 1, outputs);
            if (i < WarmUp)
                continue;
            there.Add((between - before) / 1e6);
            here.Add((ThreadTime() - between) / 1e6);
        }
        return new(Median(here), Median(there), here.Count);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>Nanoseconds that the calling thread has had a processor.</summary>
    private static long ThreadTime()
    {
        long* time = stackalloc long[2];
        return ClockGetTime(ThreadClock, time) == 0 ? time[0] * 1_000_000_000 + time[1] : throw new PlatformNotSupportedException("The processor time of a thread is measured on Linux only.");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, long* time);
}

using System.Diagnostics;
using System.Globalization;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Scores on demand, so that a script can take turns with another runtime: for each line "n" it runs n calls and prints their milliseconds. "memory" prints what the
/// process takes, without collecting first.</summary>
internal static class ScoringServer
{
    public static int Run(string model, int threads, int batch)
    {
        long start = Stopwatch.GetTimestamp();
        ModelGraph graph = ModelFile.Load(model);
        double read = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        using var session = new InferenceSession(graph, new() { Threads = threads });
        double load = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        var images = new float[batch * session.InputShape.Count];
        for (int i = 0; i < images.Length; i++)
            images[i] = (i % 255 / 127f) - 1;
        var outputs = new float[batch * session.OutputLength];
        session.Run(images, batch, outputs);
        double first = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"read {read:F1} load {load:F1} first {first:F1} ms"));
        while (Console.ReadLine() is { Length: > 0 } line)
        {
            if (line == "memory")
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{Environment.WorkingSet / 1048576.0:F1} MiB resident, {GC.GetTotalMemory(false) / 1048576.0:F1} managed, {GC.GetTotalAllocatedBytes() / 1048576.0:F1} allocated"));
                continue;
            }
            if (line == "profile")
            {
                SessionProfile profile = session.Profile(images, batch);
                foreach (StepProfile step in profile.Steps)
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{step.Name,-28} {step.Kernel,-20} {step.Output,-14} {step.Time.TotalMilliseconds,8:F3} ms {step.GigaflopsPerSecond,7:F1} GFLOP/s"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"total {profile.Total.TotalMilliseconds:F2} ms"));
                continue;
            }
            int calls = int.Parse(line, CultureInfo.InvariantCulture);
            var times = new double[calls];
            for (int i = 0; i < calls; i++)
            {
                long from = Stopwatch.GetTimestamp();
                session.Run(images, batch, outputs);
                times[i] = Stopwatch.GetElapsedTime(from).TotalMilliseconds;
            }
            Console.WriteLine(string.Join(' ', times.Select(t => t.ToString("F3", CultureInfo.InvariantCulture))));
        }
        return 0;
    }
}

using System.Diagnostics;
using MLNet.PQCompression.Fuzz;

// fuzz [TARGET…] [--seed S] [--executions N] [--minutes M] [--folder F] [--only TARGET:INDEX]
var names = new List<string>();
(int seed, long executions, double minutes, string folder, string? only) = (1, long.MaxValue, 1, "fuzz-findings", null);
for (int i = 0; i < args.Length; i++)
    switch (args[i])
    {
        case "--seed": seed = int.Parse(args[++i]); break;
        case "--executions": executions = long.Parse(args[++i]); minutes = double.MaxValue; break;
        case "--minutes": minutes = double.Parse(args[++i]); break;
        case "--folder": folder = args[++i]; break;
        case "--only": only = args[++i]; break;
        default: names.Add(args[i]); break;
    }
Directory.CreateDirectory(folder);
FuzzRun[] runs = [.. FuzzTargets.All.Where(t => names.Count == 0 || names.Contains(t.Name)).Select(t => new FuzzRun(t, seed))];
if (only is not null)
{
    FuzzRun run = runs.Single(r => r.Target.Name == only.Split(':')[0]);
    run.Next = long.Parse(only.Split(':')[1]);
    File.WriteAllBytes(Path.Combine(folder, "only.bin"), run.Make(run.Next));
    Console.WriteLine(run.Step()?.What ?? "sound");
    return;
}
var keys = new HashSet<string>();
var clock = Stopwatch.StartNew();
TimeSpan nextReport = TimeSpan.Zero;
// Targets take turns of a tenth of a second, so that a run that is cut short has tried them all.
TimeSpan turn = TimeSpan.FromMilliseconds(100);
using var watchdog = new Watchdog(Path.Combine(folder, "running"), run =>
{
    File.WriteAllBytes(Path.Combine(folder, $"hang-{run.Target.Name}-{run.Next}.bin"), run.Current ?? []);
    Environment.FailFast($"{run.Target.Name}:{run.Next} does not end.");
});
if (watchdog.Died >= 0)
    Console.WriteLine($"The last process died in execution {watchdog.Died}; --only TARGET:{watchdog.Died} runs it again.");
while (runs.Any(r => r.Next < executions) && clock.Elapsed.TotalMinutes < minutes)
{
    foreach (FuzzRun run in runs)
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < turn && run.Next < executions;)
        {
            watchdog.Watch(run);
            if (run.Step() is { } finding && keys.Add(finding.Key))
            {
                string path = Path.Combine(folder, $"{finding.Target}-{finding.Index}.bin");
                File.WriteAllBytes(path, finding.File);
                Console.WriteLine($"{path}\n{finding.What}\n");
            }
        }
    if (clock.Elapsed > nextReport)
    {
        Report();
        nextReport = clock.Elapsed + TimeSpan.FromMinutes(1);
    }
}
Report();
Environment.ExitCode = keys.Count == 0 ? 0 : 1;

void Report()
{
    Console.WriteLine($"seed {seed}, {clock.Elapsed:hh\\:mm\\:ss}, {runs.Sum(r => r.Count)} executions, {keys.Count} findings");
    foreach (FuzzRun run in runs)
        Console.WriteLine($"  {run.Target.Name,-14} {run.Count,12} executions: {run[Outcome.Refused]} refused, {run[Outcome.Read]} read, {run[Outcome.Used]} used, {run.Failures} wrong;"
            + $" longest {run.Longest.TotalSeconds:F2} s, most {run.MostBytes / 1e6:F1} MB");
}

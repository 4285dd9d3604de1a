using System.Runtime.CompilerServices;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MLNet.PQCompression.Benchmarks;
using Perfolizer.Horology;

// "serve" and "recode" are for compare-onnxruntime.mjs, "train" for compare-pytorch.py, "kmeans MODEL THREADS" times k-means,
// "ratio SECONDS MODELS" compares with ONNX Runtime, "models IMAGES COUNT VIEWS MODELS" compresses other people's models, "history RECORD.json OUT.svg
// [SECONDS NAME=MODEL…]" adds such ratios to a record and draws it, "chart FIGURES.json OUT.svg" draws figures of the docs; anything else is BenchmarkDotNet's.
return args switch
{
    ["serve", string model, string threads, string batch] => ScoringServer.Run(model, int.Parse(threads), int.Parse(batch)),
    ["train", string model, string device, string threads, string batch, string size] => TrainingServer.Run(model, device, int.Parse(threads), int.Parse(batch), int.Parse(size)),
    ["kmeans", string model, string threads] => KMeansTiming.Run(model, int.Parse(threads)),
    ["ratio", string seconds, .. string[] models] => RuntimeRatio.Run(double.Parse(seconds), models),
    ["models", string images, string count, string views, .. string[] models] => ModelTable.Run(images, int.Parse(count), int.Parse(views), models),
    ["recode", string model, string target, string regime] => Recoding.Run(model, target, regime),
    ["history", string record, string svg] => BenchmarkHistory.Run(record, svg, 0, []),
    ["history", string record, string svg, string seconds, .. string[] models] => BenchmarkHistory.Run(record, svg, double.Parse(seconds), models),
    ["chart", string figures, string svg] => FigureChart.Run(figures, svg),
    _ => RunBenchmarks(args),
};

// Apart, so that BenchmarkDotNet is not loaded into the processes whose memory is measured.
[MethodImpl(MethodImplOptions.NoInlining)]
static int RunBenchmarks(string[] args)
{
    // In this process: a project built for each benchmark takes minutes, and kernels that are compiled in full at once need no process of their own.
    Job job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance).WithIterationTime(TimeInterval.FromMilliseconds(100));
    return BenchmarkSwitcher.FromAssembly(typeof(Recoding).Assembly).Run(args, DefaultConfig.Instance.AddJob(job)).Any(s => s.HasCriticalValidationErrors) ? 1 : 0;
}

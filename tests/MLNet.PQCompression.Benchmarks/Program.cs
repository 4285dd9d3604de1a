using BenchmarkDotNet.Running;
using MLNet.PQCompression.Benchmarks;

// "serve" and "recode" are for compare-onnxruntime.mjs; anything else is BenchmarkDotNet's.
return args switch
{
    ["serve", string model, string threads, string batch] => ScoringServer.Run(model, int.Parse(threads), int.Parse(batch)),
    ["recode", string model, string target, string regime] => Recoding.Run(model, target, regime),
    _ => BenchmarkSwitcher.FromAssembly(typeof(Recoding).Assembly).Run(args).Any(s => s.HasCriticalValidationErrors) ? 1 : 0,
};

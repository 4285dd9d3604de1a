using System.Diagnostics;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Times the k-means of every layer of a model: 100 iterations at the plan's sizes, statistics aside. The Gram matrix is made up, as its values do not change the work.</summary>
internal static class KMeansTiming
{
    public static int Run(string path, int threads)
    {
        ModelGraph model = ModelFile.Load(path);
        using var pool = new WorkerPool(threads);
        var total = new Stopwatch();
        long iterations = 0;
        foreach (LayerPlan layer in CompressionPlan.Create(model, new()).Layers.Where(l => l.IsQuantized))
        {
            ReadOnlyMemory<float> weight = model.Initializers[layer.Weight].ToDense();
            var gram = new double[layer.BlockSize * layer.BlockSize];
            for (int i = 0; i < layer.BlockSize; i++)
                for (int j = 0; j < layer.BlockSize; j++)
                    gram[i * layer.BlockSize + j] = 1.0 / (1 + Math.Abs(i - j));
            // Weights that were quantized before have few distinct blocks; a little noise makes them ordinary.
            var random = new Random(1);
            float scale = weight.Span.ToArray().Max(MathF.Abs) * 0.05f;
            float[] noisy = [.. weight.Span.ToArray().Select(w => w + scale * (random.NextSingle() - 0.5f))];
            total.Start();
            KMeansResult result = WeightedKMeans.Fit(noisy, layer.BlockSize, gram, new KMeansOptions { Codewords = layer.Codewords }, new ManagedQuantization(pool));
            total.Stop();
            iterations += result.Iterations.Count;
        }
        Console.WriteLine($"{iterations} iterations of k-means in {total.Elapsed.TotalSeconds:F2} s on {pool.Threads} threads");
        return 0;
    }
}

using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Writes a model as PQ-ONNX, with its own codes, with random ones of a regime, or, where it is dense, with random ones of the default plan ("plan"): speed does not depend on what the codes are.</summary>
internal static class Recoding
{
    public static int Run(string model, string target, string regime)
    {
        ModelGraph graph = ModelFile.Load(model);
        if (regime == "plan")
            graph = graph.WithInitializers(CompressionPlan.Create(graph, new()).Layers.Where(l => l.IsQuantized)
                .Select(l => KeyValuePair.Create(l.Weight, (Initializer)Random(l.Shape, graph.Initializers[l.Weight].ToDense().Span, l.BlockSize, l.Codewords))).ToArray());
        else if (regime != "own")
            graph = graph.WithInitializers(graph.Initializers
                .Where(i => i.Value is QuantizedTensor { Shape.Rank: 4 })
                .Select(i => KeyValuePair.Create(i.Key, (Initializer)Recode((QuantizedTensor)i.Value, regime == "large"))).ToArray());
        OnnxWriter.Write(graph, target);
        return 0;
    }

    private static QuantizedTensor Recode(QuantizedTensor weight, bool large)
    {
        bool pointwise = weight.Shape[2] * weight.Shape[3] == 1;
        return Random(weight.Shape, weight.ToDense().Span, (pointwise ? 4 : 9) * (large ? 2 : 1), 256);
    }

    private static QuantizedTensor Random(TensorShape shape, ReadOnlySpan<float> some, int d, int k)
    {
        var random = new Random(1);
        float[] codebook = [.. some[..(k * d)]];
        var codes = new ushort[shape.Count / d];
        foreach (ref ushort code in codes.AsSpan())
            code = (ushort)random.Next(k);
        return new(shape, d, codebook, codes);
    }
}

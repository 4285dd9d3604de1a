using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Writes a model as PQ-ONNX, with its own codes or with random ones of a regime: speed does not depend on what the codes are.</summary>
internal static class Recoding
{
    public static int Run(string model, string target, string regime)
    {
        ModelGraph graph = ModelFile.Load(model);
        if (regime != "own")
            graph = graph.WithInitializers(graph.Initializers
                .Where(i => i.Value is QuantizedTensor { Shape.Rank: 4 })
                .Select(i => KeyValuePair.Create(i.Key, (Initializer)Recode((QuantizedTensor)i.Value, regime == "large"))).ToArray());
        OnnxWriter.Write(graph, target);
        return 0;
    }

    private static QuantizedTensor Recode(QuantizedTensor weight, bool large)
    {
        bool pointwise = weight.Shape[2] * weight.Shape[3] == 1;
        int d = (pointwise ? 4 : 9) * (large ? 2 : 1), k = 256;
        var random = new Random(1);
        ReadOnlySpan<float> some = weight.ToDense().Span;
        float[] codebook = [.. some[..(k * d)]];
        var codes = new ushort[weight.Shape.Count / d];
        foreach (ref ushort code in codes.AsSpan())
            code = (ushort)random.Next(k);
        return new(weight.Shape, d, codebook, codes);
    }
}

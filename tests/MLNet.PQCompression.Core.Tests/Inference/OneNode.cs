using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Inference;

/// <summary>Runs a graph of one node on given inputs.</summary>
internal static class OneNode
{
    public static Activation Run(Operator op, params Activation[] inputs)
    {
        string[] names = [.. inputs.Select((_, i) => $"in{i}")];
        var node = new Node("node", op, [.. names], "out");
        var constants = inputs.Skip(1).Select((a, i) => KeyValuePair.Create(names[i + 1], (Initializer)new DenseTensor(a.Shape, a.Memory)));
        var graph = new ModelGraph("one", new("in0", inputs[0].Shape), [new("out", new())], [node], new Dictionary<string, Initializer>(constants));
        using var pool = new WorkerPool(2);
        return new NodeEvaluator(graph, pool).Evaluate(node, name => inputs[Array.IndexOf(names, name)]);
    }

    public static Activation Random(int seed, params int[] shape)
    {
        var random = new Random(seed);
        var result = new Activation(new(shape));
        foreach (ref float v in result.Span)
            v = random.NextSingle() * 2 - 1;
        return result;
    }

    /// <summary>Compares with a function of the index in each dimension.</summary>
    public static void AssertEqual(Activation actual, int[] shape, Func<int[], double> expected, double tolerance = 1e-5)
    {
        Assert.Equal(new TensorShape(shape), actual.Shape);
        var index = new int[shape.Length];
        for (int i = 0; i < actual.Span.Length; i++)
        {
            for (int d = shape.Length - 1, rest = i; d >= 0; rest /= shape[d--])
                index[d] = rest % shape[d];
            double value = expected(index);
            Assert.True(Math.Abs(value - actual.Span[i]) <= tolerance, $"[{string.Join(", ", index)}] is {actual.Span[i]}, not {value}");
        }
    }

    public static float At(this Activation x, params ReadOnlySpan<int> index)
    {
        int offset = 0;
        for (int i = 0; i < index.Length; i++)
            offset = offset * x.Shape[i] + index[i];
        return x.Span[offset];
    }
}

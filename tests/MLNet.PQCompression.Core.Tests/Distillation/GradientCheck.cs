using MLNet.PQCompression.Distillation.Managed;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>
/// Holds the backward pass of one operator to central differences of its forward pass, and the forward pass to the reference evaluator. The operator's
/// input is image·gain + shift with trainable gain and shift, so that its gradient by each input element shows up in theirs.
/// </summary>
internal static class GradientCheck
{
    private const int Count = 3;
    private const float Step = 4e-3f;

    /// <summary>Values of both signs and of 0.1 to 1.1 times <paramref name="scale"/>.</summary>
    public static float[] Values(int count, int seed, float scale = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() + 0.1) * (random.Next(2) * 2 - 1)) * scale)];
    }

    public static DenseTensor Tensor(int seed, params int[] shape) => new(new TensorShape(shape), Values((int)new TensorShape(shape).Count, seed));

    public static void Run(Operator op, TensorShape image, params Initializer[] constants) =>
        Run([new("op", op, ["x", .. constants.Select((_, i) => $"c{i}")], "y")], image, constants);

    /// <param name="nodes">They read x, the constants c0, c1, …, and make y.</param>
    /// <param name="image">C×H×W.</param>
    /// <param name="constants">The constants, all trained but the last <paramref name="frozen"/>.</param>
    /// <param name="batchStatistics">Whether BatchNormalization trains.</param>
    /// <param name="frozen">How many constants, the last ones, get no gradient.</param>
    public static void Run(Node[] nodes, TensorShape image, Initializer[] constants, bool batchStatistics = false, int frozen = 0)
    {
        var initializers = new Dictionary<string, Initializer>
        {
            ["gain"] = new DenseTensor(new([1, .. image.Dimensions]), (float[])[.. Values((int)image.Count, 1).Select(v => 0.5f + Math.Abs(v))]),
            ["shift"] = new DenseTensor(new([1, .. image.Dimensions]), Values((int)image.Count, 2, 0.1f)),
        };
        for (int i = 0; i < constants.Length; i++)
            initializers[$"c{i}"] = constants[i];
        Node[] all = [new("gain.mul", new Binary(BinaryFunction.Mul), ["image", "gain"], "scaled"), new("shift.add", new Binary(BinaryFunction.Add), ["scaled", "shift"], "x"), .. nodes];
        var graph = new ModelGraph("check", new("image", new(-1, image[0], image[1], image[2])), [new("y", default)], [.. all], initializers);
        using var workers = new WorkerPool(2);
        HashSet<string> still = [.. Enumerable.Range(constants.Length - frozen, frozen).Select(i => $"c{i}")];
        Dictionary<string, Parameter> parameters = initializers.ToDictionary(p => p.Key, p => new Parameter(p.Key, p.Value, !still.Contains(p.Key)));
        using var program = new TrainingProgram(graph, new TensorShape(1, image[0], image[1], image[2]), parameters, workers);
        float[] images = Values(Count * (int)image.Count, 3);
        float[] outputs = new float[Count * program.OutputLength];
        float[] weights = Values(outputs.Length, 4);
        Dictionary<string, float[]> running = still.ToDictionary(n => n, n => parameters[n].Values.ToArray());

        double Loss()
        {
            foreach ((string name, float[] values) in running)
            {
                values.CopyTo(parameters[name].Values, 0);
                parameters[name].Touch();
            }
            program.Forward(images, Count, batchStatistics, keep: true, outputs);
            return outputs.Select((y, i) => (double)y * weights[i]).Sum();
        }

        double loss = Loss();
        if (!batchStatistics)
            AssertSameAsReference(graph, images, image, outputs);
        program.Backward(weights);
        Dictionary<string, float[]> analytic = parameters.Where(p => p.Value.Trainable).ToDictionary(p => p.Key, p => p.Value.DenseGradient.ToArray());
        var random = new Random(5);
        foreach ((string name, float[] gradient) in analytic)
        {
            float[] values = parameters[name].Values;
            double scale = Math.Sqrt(gradient.Sum(g => (double)g * g) / gradient.Length);
            Assert.True(scale > 0, $"{name} gets no gradient at all");
            int checks = 0;
            foreach (int i in Enumerable.Range(0, values.Length).OrderBy(_ => random.Next()).Take(24))
            {
                float kept = values[i];
                double Moved(float by)
                {
                    values[i] = kept + by;
                    parameters[name].Touch();
                    return Loss();
                }

                double above = Moved(Step), below = Moved(-Step), numeric = (above - below) / (2.0 * Step);
                values[i] = kept;
                parameters[name].Touch();
                if (Math.Abs(above + below - 2 * loss) / Step > 0.03 * Math.Max(Math.Abs(numeric), scale))
                    continue; // a kink lies between
                checks++;
                Assert.True(Math.Abs(numeric - gradient[i]) <= 3e-3 * Math.Max(Math.Abs(numeric), scale), $"{name}[{i}]: {gradient[i]} where differences give {numeric} (typical {scale})");
            }
            Assert.True(checks >= Math.Min(values.Length, 24) * 2 / 3, $"{name}: only {checks} gradients could be checked");
        }
    }

    private static void AssertSameAsReference(ModelGraph graph, float[] images, TensorShape image, float[] outputs)
    {
        Activation expected = new NodeEvaluator(graph).EvaluateAll(new Activation(new(Count, image[0], image[1], image[2]), images))[0];
        ReadOnlySpan<float> span = expected.Span;
        Assert.Equal(outputs.Length, span.Length);
        for (int i = 0; i < outputs.Length; i++)
            Assert.True(Math.Abs(outputs[i] - span[i]) <= 1e-5 * (1 + Math.Abs(span[i])), $"output {i}: {outputs[i]} where the reference gives {span[i]}");
    }
}

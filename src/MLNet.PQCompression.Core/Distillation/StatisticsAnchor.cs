using System.Collections.Immutable;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Distillation;

/// <summary>
/// Gives BatchNormalization the mean μ and variance v of its actual inputs as running statistics and changes scale and bias so that the network computes the same as
/// before: scale' = a·√(v + ε), bias' = b + a·μ, where y = a·x + b was the map and ε is 1e-5.
/// </summary>
/// <remarks>
/// Training normalizes by the batch's statistics, so it starts from the network's own function only where the running ones agree with them. They do not where
/// a file has folded them away (mean 0), nor where quantization has changed the inputs. Statistics that nodes share are given to each on its own.
/// </remarks>
public static class StatisticsAnchor
{
    private const float Epsilon = 1e-5f;

    /// <summary>Whether a BatchNormalization has its statistics folded away (all means zero), so that it cannot be trained with the batch's.</summary>
    public static bool HasFoldedStatistics(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Nodes.Any(n => n.Operator is BatchNormalization
            && graph.Initializers.TryGetValue(n.Inputs[3], out Initializer? mean) && mean.ToDense().Span.IndexOfAnyExcept(0f) < 0);
    }

    /// <summary>Measures and replaces the statistics.</summary>
    /// <param name="backend">Runs the network; it stays the caller's.</param>
    /// <param name="graph">The network.</param>
    /// <param name="images">The images to measure on.</param>
    /// <param name="batches">Batches of them.</param>
    /// <exception cref="InvalidModelException">A BatchNormalization's parameters are not constants.</exception>
    public static ModelGraph Apply(IEvaluationBackend backend, ModelGraph graph, TrainingSet images, IEnumerable<DrawnBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return Apply(backend, graph, graph.Nodes, images, batches);
    }

    /// <summary>The same where only some nodes are run, first ones in the graph's order; statistics behind them stay.</summary>
    internal static ModelGraph Apply(IEvaluationBackend backend, ModelGraph graph, ImmutableArray<Node> measured, TrainingSet images, IEnumerable<DrawnBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(batches);
        HashSet<string> read = [.. measured.Where(n => n.Operator is BatchNormalization).Select(n => n.Inputs[0])];
        var moments = new Dictionary<string, Moments>(StringComparer.Ordinal);
        using INodeEvaluator evaluator = backend.Evaluate(graph);
        foreach (DrawnBatch batch in batches)
        {
            var input = new Activation(new(batch.Count, images.Channels, images.Height, images.Width), batch.Images.AsMemory(0, batch.Count * images.ImageLength));
            foreach ((string name, Activation value) in evaluator.Evaluate(measured, _ => input, read.Contains))
            {
                if (!moments.TryGetValue(name, out Moments? sums))
                    moments[name] = sums = new(value.Shape[1]);
                sums.Add(value);
            }
        }
        var initializers = graph.Initializers.ToDictionary(StringComparer.Ordinal);
        var used = graph.Nodes.SelectMany(n => n.Inputs).GroupBy(i => i, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        ImmutableArray<Node> nodes = [.. graph.Nodes.Select(n => n.Operator is BatchNormalization op && moments.TryGetValue(n.Inputs[0], out Moments? m)
            ? Anchor(graph, n, op.Epsilon, m, initializers, used)
            : n)];
        HashSet<string> kept = [.. nodes.SelectMany(n => n.Inputs)];
        return new(graph.Name, graph.Input, graph.Outputs, nodes, initializers.Where(i => kept.Contains(i.Key)).ToDictionary(StringComparer.Ordinal), graph.Metadata, graph.Origin);
    }

    private static Node Anchor(ModelGraph graph, Node node, float epsilon, Moments moments, Dictionary<string, Initializer> initializers, Dictionary<string, int> used)
    {
        float[][] old = [.. node.Inputs.Skip(1).Select(i => graph.Initializers.TryGetValue(i, out Initializer? v) ? v.ToDense().ToArray() : throw new InvalidModelException($"{node}: its parameter '{i}' is not a constant."))];
        int channels = old[0].Length;
        float[][] anchored = [new float[channels], new float[channels], new float[channels], new float[channels]];
        for (int c = 0; c < channels; c++)
        {
            (double mean, double variance) = moments.Of(c);
            double a = old[0][c] / Math.Sqrt(old[3][c] + epsilon);
            anchored[0][c] = (float)(a * Math.Sqrt(variance + Epsilon));
            anchored[1][c] = (float)(old[1][c] + a * (mean - old[2][c]));
            (anchored[2][c], anchored[3][c]) = ((float)mean, (float)variance);
        }
        string[] names = [.. node.Inputs];
        string[] suffixes = ["weight", "bias", "running_mean", "running_var"];
        for (int i = 0; i < 4; i++)
        {
            if (used[names[i + 1]] > 1)
                names[i + 1] = $"{node.Name}.{suffixes[i]}";
            initializers[names[i + 1]] = new DenseTensor(new(channels), anchored[i]);
        }
        return node with { Operator = new BatchNormalization(Epsilon), Inputs = [.. names] };
    }

    private sealed class Moments(int channels)
    {
        private readonly double[] _sums = new double[channels], _squares = new double[channels];
        private long _count;

        public void Add(Activation x)
        {
            int plane = (int)(x.Shape.Count / x.Shape[0] / channels);
            for (int i = 0; i < x.Shape[0] * channels; i++)
            {
                double sum = 0, square = 0;
                foreach (float v in x.Span.Slice(i * plane, plane))
                {
                    sum += v;
                    square += (double)v * v;
                }
                _sums[i % channels] += sum;
                _squares[i % channels] += square;
            }
            _count += (long)x.Shape[0] * plane;
        }

        public (double Mean, double Variance) Of(int channel)
        {
            double mean = _sums[channel] / _count;
            return (mean, Math.Max(0, _squares[channel] / _count - mean * mean));
        }
    }
}

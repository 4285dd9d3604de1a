using System.Collections.Immutable;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>How much the squared difference of each matched value counts: one over the teacher's variance of its channel, and more where the teacher sees something.</summary>
/// <remarks>
/// Every matched value has the same say, and every channel in it. Channels are dimension 1 of images, else the last. A channel counts as if it had a tenth of the mean variance of its value at least: what
/// hardly varies would else outweigh the rest. Where sigmoids make scores of some maps, a position of all maps of that size counts by the teacher's best score there: most positions of a detector show
/// nothing, and what its boxes and classes say there is heard by no one.
/// </remarks>
internal sealed class MatchedWeights
{
    private const int Examined = 64;
    private const double LeastShare = 0.1;

    /// <summary>What a position counts where the teacher is sure of nothing, beside 1 where it is sure.</summary>
    private const float Background = 0.1f;

    private readonly ImmutableArray<Map> _maps;
    private readonly float[] _factors;

    /// <summary>Measures the teacher on some of the images, spread over the set.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="matched">Its part that ends at the matched values.</param>
    /// <param name="set">The images.</param>
    /// <param name="share">The ranks, which all get what the first has measured.</param>
    /// <param name="cancellationToken">Ends the measuring.</param>
    public MatchedWeights(ITrainingModel teacher, MatchedPart matched, TrainingSet set, BatchShare share, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, TensorShape> shapes = ShapeInference.Infer(matched.Graph, new(1, set.Channels, set.Height, set.Width));
        int length = 0;
        _maps = [.. matched.Graph.Outputs.Select(o =>
        {
            var map = new Map(shapes[o.Name], length, matched.Scores.Contains(o.Name));
            length += map.Count;
            return map;
        })];
        Map[] scores = [.. _maps.Where(m => m.IsScores)];
        _maps = [.. _maps.Select(m => m with { Judges = [.. scores.Where(s => s.Shape.Rank == 4 && m.Shape.Rank == 4 && s.Shape[2] == m.Shape[2] && s.Shape[3] == m.Shape[3])] })];
        _factors = new float[length];
        Measure(teacher, set, cancellationToken);
        share.Parts.Ranks.Broadcast(MemoryMarshal.AsBytes(_factors.AsSpan()), 0);
    }

    /// <summary>The weights of a batch, from what the teacher gives for it: as many as there are values, or those of one image where all have the same.</summary>
    public ReadOnlyMemory<float> Of(ReadOnlySpan<float> values)
    {
        if (_maps.All(m => m.Judges.IsEmpty))
            return _factors;
        var weights = new float[values.Length];
        var attention = new Dictionary<(int, int), float[]>();
        for (int first = 0; first < values.Length; first += _factors.Length, attention.Clear())
            foreach (Map map in _maps)
                Weigh(map, values.Slice(first, _factors.Length), attention, weights.AsSpan(first + map.Start, map.Count));
        return weights;
    }

    private void Weigh(Map map, ReadOnlySpan<float> image, Dictionary<(int, int), float[]> attention, Span<float> weights)
    {
        ReadOnlySpan<float> factors = _factors.AsSpan(map.Start, map.Count);
        float[] there = Attention(map, image, attention);
        for (int i = 0; i < weights.Length; i += there.Length)
            System.Numerics.Tensors.TensorPrimitives.Multiply(factors.Slice(i, there.Length), there, weights.Slice(i, there.Length));
    }

    /// <summary>For each position of a map what it counts.</summary>
    private static float[] Attention(Map map, ReadOnlySpan<float> image, Dictionary<(int, int), float[]> known)
    {
        if (map.Judges.IsEmpty)
            return [1];
        (int, int) size = (map.Shape[2], map.Shape[3]);
        if (known.TryGetValue(size, out float[]? there))
            return there;
        known[size] = there = new float[map.Inner];
        Array.Fill(there, float.NegativeInfinity);
        foreach (Map scores in map.Judges)
            for (int i = 0; i < scores.Count; i += there.Length)
                System.Numerics.Tensors.TensorPrimitives.Max(there, image.Slice(scores.Start + i, there.Length), there);
        for (int i = 0; i < there.Length; i++)
            there[i] = Background + (1 - Background) / (1 + MathF.Exp(-there[i]));
        return there;
    }

    private void Measure(ITrainingModel teacher, TrainingSet set, CancellationToken cancellationToken)
    {
        int count = Math.Min(Examined, set.Count);
        double[][] sums = [.. _maps.Select(m => new double[m.Channels])], squares = [.. _maps.Select(m => new double[m.Channels])];
        var attention = new double[_maps.Length];
        var outputs = new float[_factors.Length];
        var known = new Dictionary<(int, int), float[]>();
        for (int n = 0; n < count; n++, known.Clear())
        {
            cancellationToken.ThrowIfCancellationRequested();
            teacher.Evaluate(set.Image((int)((long)n * set.Count / count)).ToArray(), 1, outputs);
            for (int m = 0; m < _maps.Length; m++)
            {
                Map map = _maps[m];
                attention[m] += Attention(map, outputs, known).Average() / count;
                for (int i = 0; i < map.Count; i++)
                {
                    double x = outputs[map.Start + i];
                    sums[m][map.Channel(i)] += x;
                    squares[m][map.Channel(i)] += x * x;
                }
            }
        }
        for (int m = 0; m < _maps.Length; m++)
        {
            Map map = _maps[m];
            double each = (double)count * map.Count / map.Channels;
            double[] variances = [.. squares[m].Select((s, c) => Math.Max(0, s / each - sums[m][c] / each * (sums[m][c] / each)))];
            double least = Math.Max(1e-12, LeastShare * variances.Average());
            for (int i = 0; i < map.Count; i++)
                _factors[map.Start + i] = (float)(1 / (Math.Max(least, variances[map.Channel(i)]) * map.Count * _maps.Length * attention[m]));
        }
    }

    /// <summary>A matched value among all values of an image.</summary>
    /// <param name="Shape">Its shape for one image.</param>
    /// <param name="Start">Where it begins.</param>
    /// <param name="IsScores">Whether a sigmoid makes scores of it.</param>
    private sealed record Map(TensorShape Shape, int Start, bool IsScores)
    {
        public ImmutableArray<Map> Judges { get; init; } = [];

        public int Count { get; } = (int)Shape.Count;

        public int Channels { get; } = Shape.Rank == 4 ? Shape[1] : Shape[Shape.Rank - 1];

        public int Inner { get; } = Shape.Rank == 4 ? Shape[2] * Shape[3] : 1;

        public int Channel(int index) => index / Inner % Channels;
    }
}

using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>How much the squared difference of each matched value counts: one over the teacher's variance of its channel, and more where the teacher sees something.</summary>
/// <remarks>
/// Every matched value has the same say. Where a sigmoid makes a score p of a value, it counts by p(1 − p): to second order its squared difference is then the divergence of the two scores, and what is far from
/// being found stays out. In other values every channel has the same say, that of dimension 1 of images, else the last. A channel counts as if it had a tenth of the mean variance of its value at least: what
/// hardly varies would else outweigh the rest. Where there are scores for a map's positions, each position counts by the product of the best of each kind there: what boxes say of the background is heard by no one.
/// </remarks>
internal sealed class MatchedWeights
{
    private const int Examined = 64;
    private const double LeastShare = 0.1;

    /// <summary>What a position counts where the teacher is sure of nothing, beside 1 where it is sure.</summary>
    private const float Background = 0.03f;

    /// <summary>What a score counts where the teacher is sure, beside 1 where it is in doubt.</summary>
    private const float Certain = 0.01f;

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
        if (_maps.All(m => m.Judges.IsEmpty && !m.IsScores))
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
        Attend(map, image, attention, weights);
        TensorPrimitives.Multiply(weights, _factors.AsSpan(map.Start, map.Count), weights);
    }

    /// <summary>What each value of a map counts by what the teacher gives, its scale aside.</summary>
    private static void Attend(Map map, ReadOnlySpan<float> image, Dictionary<(int, int), float[]> known, Span<float> attention)
    {
        if (map.IsScores)
        {
            TensorPrimitives.Sigmoid(image.Slice(map.Start, map.Count), attention);
            foreach (ref float p in attention)
                p = Certain + (1 - Certain) * 4 * p * (1 - p);
            return;
        }
        float[] there = OfPositions(map, image, known);
        for (int i = 0; i < attention.Length; i += there.Length)
            there.CopyTo(attention[i..]);
    }

    /// <summary>For each position of a map what it counts.</summary>
    private static float[] OfPositions(Map map, ReadOnlySpan<float> image, Dictionary<(int, int), float[]> known)
    {
        if (map.Judges.IsEmpty)
            return [1];
        (int, int) size = (map.Shape[2], map.Shape[3]);
        if (known.TryGetValue(size, out float[]? there))
            return there;
        known[size] = there = new float[map.Inner];
        Array.Fill(there, 1);
        var best = new float[there.Length];
        foreach (Map scores in map.Judges)
        {
            Array.Fill(best, float.NegativeInfinity);
            for (int i = 0; i < scores.Count; i += best.Length)
                TensorPrimitives.Max(best, image.Slice(scores.Start + i, best.Length), best);
            TensorPrimitives.Sigmoid(best, best);
            TensorPrimitives.Multiply(there, best, there);
        }
        foreach (ref float position in there.AsSpan())
            position = Background + (1 - Background) * position;
        return there;
    }

    private void Measure(ITrainingModel teacher, TrainingSet set, CancellationToken cancellationToken)
    {
        int count = Math.Min(Examined, set.Count);
        ChannelSums[][] sums = [.. _maps.Select(m => new ChannelSums[m.Channels])];
        var outputs = new float[_factors.Length];
        var attention = new float[_maps.Max(m => m.Count)];
        var known = new Dictionary<(int, int), float[]>();
        for (int n = 0; n < count; n++, known.Clear())
        {
            cancellationToken.ThrowIfCancellationRequested();
            teacher.Evaluate(set.Image((int)((long)n * set.Count / count)).ToArray(), 1, outputs);
            for (int m = 0; m < _maps.Length; m++)
            {
                Map map = _maps[m];
                Attend(map, outputs, known, attention.AsSpan(0, map.Count));
                for (int i = 0; i < map.Count; i++)
                    sums[m][map.Channel(i)].Add(attention[i], outputs[map.Start + i]);
            }
        }
        for (int m = 0; m < _maps.Length; m++)
        {
            Map map = _maps[m];
            double values = (double)count * map.Count;
            double whole = sums[m].Sum(c => c.Squares) / values, least = LeastShare * sums[m].Sum(c => c.Squares) / sums[m].Sum(c => c.Weight);
            for (int i = 0; i < map.Count; i++)
            {
                ChannelSums channel = sums[m][map.Channel(i)];
                double scale = map.IsScores ? whole : Math.Max(least, channel.Squares / channel.Weight) * channel.Weight * map.Channels / values;
                _factors[map.Start + i] = (float)(1 / (Math.Max(1e-12, scale) * map.Count * _maps.Length));
            }
        }
    }

    /// <summary>Sums over the values of a channel, each counted by its attention.</summary>
    private struct ChannelSums
    {
        private double _first, _second;

        public double Weight { get; private set; }

        /// <summary>The sum of squared distances to the mean.</summary>
        public readonly double Squares => Math.Max(0, _second - _first * _first / Weight);

        public void Add(double attention, double value)
        {
            Weight += attention;
            _first += attention * value;
            _second += attention * value * value;
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

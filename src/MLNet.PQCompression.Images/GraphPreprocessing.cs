using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>What the first nodes of a graph do to its input: they turn channels round, scale and shift, as an exporter leaves a network's own preprocessing in the file.</summary>
/// <param name="Channels">C.</param>
/// <param name="IsReversed">Whether the channels are turned round.</param>
/// <param name="Scale">What each channel, in the order behind these nodes, is multiplied by; C values.</param>
/// <param name="Shift">What is added then; C values, or C·H·W for a mean image.</param>
/// <param name="Nodes">The operators, for messages.</param>
internal sealed record GraphPreprocessing(int Channels, bool IsReversed, double[] Scale, double[] Shift, IReadOnlyList<string> Nodes)
{
    /// <summary>Reads the first nodes; null where they do nothing of the kind.</summary>
    public static GraphPreprocessing? Of(ModelGraph model)
    {
        TensorShape input = model.Input.Shape;
        if (input.Rank != 4)
            return null;
        bool last = input[1] is not (1 or 3 or 4) && input[3] is 1 or 3 or 4;
        int channels = last ? input[3] : input[1];
        if (channels is not (1 or 3 or 4))
            return null;
        var found = new GraphPreprocessing(channels, false, [.. Enumerable.Repeat(1.0, channels)], new double[channels], []);
        ILookup<string, Node> readers = model.Nodes.SelectMany(n => n.Inputs.Distinct().Select(i => (i, n))).ToLookup(p => p.i, p => p.n, StringComparer.Ordinal);
        string value = model.Input.Name;
        while (found.Next(model, readers[value].ToArray(), value, readers, ref value) is { } next)
            found = next;
        return found.Nodes.Count == 0 ? null : found;
    }

    /// <summary>What a full pixel of the input is, told by the size of what these nodes subtract and divide by; null where they leave it open.</summary>
    public int? Range
    {
        get
        {
            double mean = Enumerable.Range(0, Shift.Length).Max(i => Math.Abs(Shift[i] / Scale[i * Channels / Shift.Length])), deviation = Scale.Max(a => 1 / Math.Abs(a));
            return mean > 2 || deviation > 8 ? 255 : mean > 0.02 || deviation < 0.9 ? 1 : null;
        }
    }

    /// <summary>The order of the input's channels, told by the means: those of photographs fall from red to blue; null where they do not tell.</summary>
    public ChannelOrder? Order
    {
        get
        {
            if (Channels != 3)
                return null;
            double[] means = Means;
            double most = means.Max();
            if (most <= 0 || Math.Abs(means[0] - means[2]) < 0.03 * most || (means[0] > means[1]) != (means[1] > means[2]))
                return null;
            return means[0] > means[2] != IsReversed ? ChannelOrder.Rgb : ChannelOrder.Bgr;
        }
    }

    /// <summary>The mean that is subtracted from each channel, in the order behind these nodes and the units of the input.</summary>
    public double[] Means => [.. Enumerable.Range(0, Channels).Select(c => -Shift.Chunk(Shift.Length / Channels).ElementAt(c).Average() / Scale[c])];

    private GraphPreprocessing? Next(ModelGraph model, Node[] nodes, string value, ILookup<string, Node> readers, ref string next)
    {
        if (nodes is [{ } node])
        {
            next = node.Output;
            return node.Operator switch
            {
                Transpose or Clip or { OnnxName: "Cast" or "Identity" } => this,
                Binary binary when Constant(model, node, value) is { } constant => Apply(binary.Function, constant, node.Inputs[0] == value),
                BatchNormalization norm => Normalize(model, node, norm.Epsilon),
                _ => null,
            };
        }
        if (!IsReversal(nodes, readers, out string? joined))
            return null;
        next = joined!;
        return this with { IsReversed = !IsReversed, Scale = [.. Scale.Reverse()], Shift = [.. Shift.Chunk(Shift.Length / Channels).Reverse().SelectMany(c => c)], Nodes = [.. Nodes, "a reversal of the channels"] };
    }

    /// <summary>Three slices of one channel each that a Concat puts together from the last to the first.</summary>
    private static bool IsReversal(Node[] nodes, ILookup<string, Node> readers, out string? joined)
    {
        joined = null;
        if (nodes.Length != 3 || !nodes.All(n => n.Operator is Slice { Ranges: [{ Axis: 1, Step: 1 } range] } && range.End == range.Start + 1))
            return false;
        Node[] next = [.. nodes.SelectMany(n => readers[n.Output]).Distinct()];
        if (next is not [{ Operator: Concat { Axis: 1 } } concat] || concat.Inputs.Length != 3)
            return false;
        joined = concat.Output;
        return concat.Inputs.Select(i => ((Slice)nodes.Single(n => n.Output == i).Operator).Ranges[0].Start).SequenceEqual([2, 1, 0]);
    }

    private double[]? Constant(ModelGraph model, Node node, string value)
    {
        string other = node.Inputs[0] == value ? node.Inputs[1] : node.Inputs[0];
        if (!model.Initializers.TryGetValue(other, out Initializer? constant))
            return null;
        double[] values = [.. constant.ToDense().ToArray().Select(v => (double)v)];
        return values.Length == 1 ? [.. Enumerable.Repeat(values[0], Channels)]
            : values.Length % Channels == 0 && (values.Length == Channels || constant.Shape is { Rank: >= 3 } shape && shape[shape.Rank - 3] == Channels) ? values : null;
    }

    private GraphPreprocessing? Apply(BinaryFunction function, double[] constant, bool isFirst)
    {
        string name = function.ToString();
        bool image = constant.Length > Channels;
        switch (function)
        {
            case BinaryFunction.Add or BinaryFunction.Sub when isFirst || function == BinaryFunction.Add:
                double sign = function == BinaryFunction.Add ? 1 : -1;
                return Shift.Length > constant.Length ? null : this with { Shift = [.. constant.Select((c, i) => Shift[Shift.Length == constant.Length ? i : i * Channels / constant.Length] + sign * c)], Nodes = [.. Nodes, name] };
            case BinaryFunction.Mul when !image && constant.All(c => c != 0):
                return Scaled(constant, name);
            case BinaryFunction.Div when !image && isFirst && constant.All(c => c != 0):
                return Scaled([.. constant.Select(c => 1 / c)], name);
            default:
                return null;
        }
    }

    private GraphPreprocessing Scaled(double[] by, string name) => this with
    {
        Scale = [.. Scale.Select((s, c) => s * by[c])],
        Shift = [.. Shift.Select((s, i) => s * by[i * Channels / Shift.Length])],
        Nodes = [.. Nodes, name],
    };

    private GraphPreprocessing? Normalize(ModelGraph model, Node node, float epsilon)
    {
        float[][] constants = [.. node.Inputs.Skip(1).Select(i => model.Initializers.TryGetValue(i, out Initializer? c) ? c.ToDense().ToArray() : [])];
        if (constants.Length != 4 || constants.Any(c => c.Length != Channels) || Shift.Length != Channels)
            return null;
        double[] by = [.. Enumerable.Range(0, Channels).Select(c => constants[0][c] / Math.Sqrt(constants[3][c] + (double)epsilon))];
        if (by.Any(b => b == 0 || !double.IsFinite(b)))
            return null;
        GraphPreprocessing scaled = Scaled(by, "BatchNormalization");
        return scaled with { Shift = [.. scaled.Shift.Select((s, c) => s + constants[1][c] - constants[2][c] * by[c])] };
    }
}

using System.Collections.Immutable;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>From which input value each output value of a node comes that only moves values within an image.</summary>
/// <remarks>
/// The kernels of inference are asked: they move the numbers of the elements instead of values, so every operator that they move values by is one here too, and in the same way. Two images are moved, which
/// shows whether images meet. A number is moved in two halves, since float32 holds whole numbers up to 2²⁴ only.
/// </remarks>
internal sealed class ValueOrigins
{
    private const int Half = 4096;
    private readonly int[] _input, _index;

    private ValueOrigins(int[] input, int[] index, float background) => (_input, _index, Background) = (input, index, background);

    /// <summary>Output values of an image.</summary>
    public int Count => _input.Length;

    /// <summary>What stands where nothing comes from.</summary>
    public float Background { get; }

    /// <summary>The input, and the place in an image of it, row-major, that an output value comes from; null for none.</summary>
    public (int Input, int Index)? Of(int output) => _input[output] < 0 ? null : (_input[output], _index[output]);

    /// <summary>Asks the kernels. Null where the operator does more than moving values, or values leave their image.</summary>
    /// <param name="node">The node.</param>
    /// <param name="inputs">The shapes of its inputs, whatever dimension 0.</param>
    public static ValueOrigins? Find(Node node, ImmutableArray<TensorShape> inputs)
    {
        if (!node.Operator.OnlyMoves() || inputs.Any(s => s.Rank == 0))
            return null;
        TensorShape[] two = [.. inputs.Select(s => s.With(0, 2))];
        if (!two.All(s => TensorSize.Fits(s)))
            return null;
        TensorShape shape = ShapeInference.OutputShape(node, two);
        if (shape.Rank == 0 || shape[0] != 2)
            return null;
        if (shape.Count == 0)
            return new([], [], 0);
        Operator op = node.Operator is Pad pad ? pad with { Value = -1 } : node.Operator;
        float[] high = Moved(op, two, shape, n => n / Half), low = Moved(op, two, shape, n => n % Half);
        int count = high.Length / 2;
        long[] starts = [.. two.Select((_, i) => two.Take(i).Sum(s => s.Count))];
        int[] input = new int[count], index = new int[count];
        for (int i = 0; i < count; i++)
        {
            if (high[i] < 0 && high[i + count] < 0)
            {
                input[i] = -1;
                continue;
            }
            long first = (long)high[i] * Half + (long)low[i], second = (long)high[i + count] * Half + (long)low[i + count];
            input[i] = Array.FindLastIndex(starts, s => s <= first);
            long own = two[input[i]].Count / 2, at = first - starts[input[i]];
            if (at >= own || second != first + own)
                return null;
            index[i] = (int)at;
        }
        return new(input, index, node.Operator is Pad { Value: var value } ? value : 0);
    }

    private static float[] Moved(Operator op, TensorShape[] inputs, TensorShape output, Func<long, long> part)
    {
        long number = 0;
        Activation[] values = [.. inputs.Select(s => new Activation(s))];
        foreach (Activation value in values)
            foreach (ref float v in value.Span)
                v = part(number++);
        var moved = new Activation(output);
        NodeEvaluator.Compute(op, values, moved, null);
        return moved.Span.ToArray();
    }
}

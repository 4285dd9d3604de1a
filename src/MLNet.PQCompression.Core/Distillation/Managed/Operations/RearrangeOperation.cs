using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A stretch of values that lie together in an input and in the output.</summary>
internal readonly record struct Run(int Input, int From, int To, int Length);

/// <summary>Every operator that only moves values within a sample: Concat, Pad, Slice, Flatten, Reshape, Transpose.</summary>
/// <remarks>The plan is a list of runs, found once from where each output element comes from.</remarks>
internal sealed unsafe class RearrangeOperation : TrainingOperation
{
    private readonly ImmutableArray<Run> _runs;
    private readonly float[]? _background;

    private RearrangeOperation(ImmutableArray<ValueSlot> inputs, ValueSlot output, Func<int[], (int Input, int[] Position)?> source, float background)
        : base(inputs, [], output)
    {
        ValueLayout layout = output.Layout;
        var runs = new List<Run>();
        int covered = 0;
        var position = new int[layout.Dimensions.Length];
        int[] order = layout.IsImage ? [1, 2, 0] : [.. Enumerable.Range(0, position.Length)];
        float[] fill = new float[layout.Length];
        for (int count = 0; count < layout.Count; count++)
        {
            int to = Offset(layout, position);
            if (source(position) is { } origin)
            {
                Append(runs, new(origin.Input, Offset(inputs[origin.Input].Layout, origin.Position), to, 1));
                covered++;
            }
            else
                fill[to] = background;
            for (int i = order.Length - 1; i >= 0 && ++position[order[i]] == layout.Dimensions[order[i]]; i--)
                position[order[i]] = 0;
        }
        _runs = [.. runs];
        _background = covered == layout.Length ? null : fill;
    }

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => false;

    /// <summary>The operation of a node that only moves values, or null where it is no such.</summary>
    public static RearrangeOperation? TryCreate(Operator op, ImmutableArray<ValueSlot> inputs, ValueSlot output)
    {
        ValueLayout x = inputs[0].Layout;
        return op switch
        {
            Concat concat when concat.Axis > 0 => new(inputs, output, p => FromJoined(concat.Axis - 1, inputs, p), 0),
            Pad { Mode: PadMode.Constant } pad when pad.Before[0] == 0 && pad.After[0] == 0 => new(inputs, output, p => FromPadded(pad, x, p), pad.Value),
            Slice slice when slice.Ranges.All(r => r.Axis > 0) => new(inputs, output, p => (0, FromSliced(slice, x, p)), 0),
            Flatten or Reshape when x.Count == output.Layout.Count => new(inputs, output, p => (0, Unravel(Ravel(p, output.Layout.Dimensions), x.Dimensions)), 0),
            Transpose transpose when transpose.Permutation[0] == 0 => new(inputs, output, p => (0, FromTransposed(transpose, p)), 0),
            _ => null,
        };
    }

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        float* y = Output.Sample(n);
        _background?.CopyTo(new Span<float>(y, Output.Layout.Length));
        foreach (Run run in _runs)
            new ReadOnlySpan<float>(Inputs[run.Input].Sample(n) + run.From, run.Length).CopyTo(new Span<float>(y + run.To, run.Length));
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        for (int input = 0; input < Inputs.Length; input++)
        {
            if (!Inputs[input].NeedsGradient)
                continue;
            int index = input;
            ValueSlot slot = Inputs[index];
            context.GradientTarget(slot, out bool accumulate);
            context.ForEachSample(n =>
            {
                float* g = Output.GradientSample(n), dx = slot.GradientSample(n);
                if (!accumulate)
                    new Span<float>(dx, slot.Layout.Length).Clear();
                foreach (Run run in _runs)
                    if (run.Input == index)
                        for (int i = 0; i < run.Length; i++)
                            dx[run.From + i] += g[run.To + i];
            });
        }
    }

    private static void Append(List<Run> runs, Run next)
    {
        if (runs.Count > 0 && runs[^1] is var last && last.Input == next.Input && last.From + last.Length == next.From && last.To + last.Length == next.To)
            runs[^1] = last with { Length = last.Length + 1 };
        else
            runs.Add(next);
    }

    private static (int, int[])? FromJoined(int axis, ImmutableArray<ValueSlot> inputs, int[] position)
    {
        int[] from = [.. position];
        int input = 0;
        while (from[axis] >= inputs[input].Layout.Dimensions[axis])
            from[axis] -= inputs[input++].Layout.Dimensions[axis];
        return (input, from);
    }

    private static (int, int[])? FromPadded(Pad pad, ValueLayout x, int[] position)
    {
        var from = new int[position.Length];
        for (int i = 0; i < from.Length; i++)
            if ((from[i] = position[i] - pad.Before[i + 1]) < 0 || from[i] >= x.Dimensions[i])
                return null;
        return (0, from);
    }

    private static int[] FromSliced(Slice slice, ValueLayout x, int[] position)
    {
        int[] from = [.. position];
        foreach (SliceRange range in slice.Ranges)
        {
            from[range.Axis - 1] = ShapeInference.Resolve(range, x.Dimensions[range.Axis - 1]).Start + position[range.Axis - 1] * range.Step;
        }
        return from;
    }

    private static int[] FromTransposed(Transpose transpose, int[] position)
    {
        var from = new int[position.Length];
        for (int i = 0; i < from.Length; i++)
            from[transpose.Permutation[i + 1] - 1] = position[i];
        return from;
    }

    private static int Offset(ValueLayout layout, int[] position)
    {
        int offset = 0;
        for (int i = 0; i < position.Length; i++)
            offset += position[i] * layout.Strides[i];
        return offset;
    }

    private static int Ravel(int[] position, ImmutableArray<int> dimensions)
    {
        int index = 0;
        for (int i = 0; i < position.Length; i++)
            index = index * dimensions[i] + position[i];
        return index;
    }

    private static int[] Unravel(int index, ImmutableArray<int> dimensions)
    {
        var position = new int[dimensions.Length];
        for (int i = position.Length - 1; i >= 0; index /= dimensions[i--])
            position[i] = index % dimensions[i];
        return position;
    }
}

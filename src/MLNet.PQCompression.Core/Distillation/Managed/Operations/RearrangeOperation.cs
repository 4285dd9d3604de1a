using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A stretch of values that lie together in an input and in the output.</summary>
internal readonly record struct Run(int Input, int From, int To, int Length);

/// <summary>Every operator that only moves values within a sample (<see cref="MovingOperators"/>).</summary>
/// <remarks>The plan is a list of runs, found once from where each output element comes from (<see cref="ValueOrigins"/>).</remarks>
internal sealed unsafe class RearrangeOperation : TrainingOperation
{
    private readonly ImmutableArray<Run> _runs;
    private readonly float[]? _background;

    private RearrangeOperation(ImmutableArray<ValueSlot> inputs, ValueSlot output, ValueOrigins origins)
        : base(inputs, [], output)
    {
        ValueLayout layout = output.Layout;
        var runs = new List<Run>();
        int covered = 0;
        float[] fill = new float[layout.Length];
        for (int place = 0; place < layout.Count; place++)
        {
            // Channels lie together in an image: the runs are found in the order of memory.
            int index = layout.IsImage ? place % layout.Channels * layout.Pixels + place / layout.Channels : place, to = layout.Offset(index);
            if (origins.Of(index) is { } origin)
            {
                Append(runs, new(origin.Input, inputs[origin.Input].Layout.Offset(origin.Index), to, 1));
                covered++;
            }
            else
                fill[to] = origins.Background;
        }
        _runs = [.. runs];
        _background = covered == layout.Length ? null : fill;
    }

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => false;

    /// <summary>The operation of a node that only moves values, or null where it is no such or moves them from image to image.</summary>
    public static RearrangeOperation? TryCreate(Node node, ImmutableArray<ValueSlot> inputs, ValueSlot output) =>
        ValueOrigins.Find(node, [.. inputs.Select(i => i.Layout.Shape)]) is { } origins && origins.Count == output.Layout.Count ? new(inputs, output, origins) : null;

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
            context.AddToGradient(slot, n =>
            {
                float* g = Output.GradientSample(n), dx = slot.GradientSample(n);
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
}
